"""Help lines: the country of a visitor, valid numbers, and the operator's contact."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.care.card import Locale, card, card_for, contact
from chat.care.checks import check_care
from chat.care.help_lines import UNKNOWN, countries, country_of
from chat.care.screening import LANGUAGES, Concern


@pytest.mark.parametrize(
    ("accept_language", "chosen", "code"),
    [
        ("en-GB,en;q=0.9", "", "GB"),
        ("de,en-US;q=0.7,en;q=0.3", "", "DE"),  # the region of a second language does not count
        ("de-CH", "", "CH"),
        ("zh-Hant-HK", "", ""),
        ("en", "", ""),
        ("pt", "", ""),
        ("*", "", ""),
        ("", "", ""),
        ("en-US", "nz", "NZ"),
        ("en-US", "XX", "US"),
        ("fr-FR;q=0.9", "", "FR"),
        ("sr-Latn-RS,en-US", "", ""),
    ],
)
def test_country_is_the_chosen_one_or_of_the_first_language(accept_language, chosen, code):
    assert country_of(accept_language, chosen).code == code


@given(st.text(), st.text())
def test_country_of_any_header_and_cookie_is_found(accept_language, chosen):
    assert country_of(accept_language, chosen) is not None


@pytest.mark.parametrize("code", countries())
def test_each_entry_has_valid_numbers_and_links(code):
    country = countries()[code]
    assert re.fullmatch(r"[A-Z]{2}", code)
    assert country.emergency in {"112", "999", "911", "000", "111", "119", "192"}
    assert date(*map(int, country.as_of.split("-")), 1) <= date.today().replace(day=28)
    assert any(line.get("for") != "violence" for line in country.lines)
    for line in card(Concern("danger", "en"), country)["lines"]:
        assert re.fullmatch(r"[\d -]{3,15}", line["number"]), line
        assert line["web"].startswith("https://")
        for way in line["ways"]:
            assert re.fullmatch(r"tel:\d{3,12}|sms:\d{3,12}(\?&body=\w+)?", way["url"]), way


def test_unknown_country_gets_emergency_number_and_directory():
    shown = card(Concern("danger", "en"), UNKNOWN)
    assert (shown["lines"], shown["country"], shown["emergency"]["url"]) == ([], "", "tel:112")
    assert shown["directory"]["url"] == "https://findahelpline.com"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", ["danger", "concern"])
def test_card_exists_in_each_screened_language(language, level):
    shown = card(Concern(level, language), countries()["US"])
    assert shown["title"]
    assert "{" not in str([shown["emergency"]["label"], [line["ways"] for line in shown["lines"]]]).replace(
        "{'", ""
    )


def test_contact_of_the_operator_is_linked(settings):
    settings.CARE_CONTACT = "Student counselling <mailto:care@example.org>"
    shown = card_for("I want to die", Locale("en-GB"))
    assert shown is not None
    assert shown["contact"] == {
        "label": "A person here: Student counselling",
        "url": "mailto:care@example.org",
    }


@pytest.mark.parametrize(
    "wrong", ["care@example.org", "Care <javascript:alert(1)>", "<https://example.org>", "x"]
)
def test_invalid_contact_is_reported_and_does_not_hide_the_card(settings, wrong):
    settings.CARE_CONTACT = wrong
    assert [found.id for found in check_care()] == ["care.E001"]
    with pytest.raises(ValueError, match=r".*"):
        contact()
    assert card_for("I want to die", Locale())["contact"] is None  # type: ignore[index]


def test_help_lines_older_than_a_year_are_reported(monkeypatch):
    class Later(date):
        @classmethod
        def today(cls) -> date:
            return date(2028, 1, 1)

    monkeypatch.setattr("chat.care.checks.date", Later)
    (found,) = check_care()
    assert found.id == "care.W001"
