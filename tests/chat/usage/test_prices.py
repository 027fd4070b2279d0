"""What calls cost: by the setting alone."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from chat.usage import prices
from chat.usage.checks import check_prices_and_budgets

PRICES = """{
    "swift": {"input": 0.25, "cached": 0.025, "output": 2},
    "swift-pro": {"input": 5},
    "ear": {"minute": 0.006}
}"""


@pytest.fixture(autouse=True)
def priced(settings):
    settings.OPENAI_PRICES = PRICES


def cost(model="swift", input_tokens=0, output_tokens=0, **more):
    return prices.cost_of(model, input_tokens=input_tokens, output_tokens=output_tokens, **more)


def test_a_price_for_a_million_tokens_is_millionths_for_one():
    assert cost(input_tokens=1000, output_tokens=300) == 250 + 600


def test_what_the_provider_had_read_before_is_cheaper():
    assert cost(input_tokens=1000, cached_tokens=800) == 50 + 20


def test_more_cached_than_read_is_the_providers_mistake_and_not_a_negative_price():
    assert cost(input_tokens=100, cached_tokens=800) == 3


def test_without_a_price_of_its_own_what_is_cached_costs_as_much():
    assert cost("swift-pro", input_tokens=1000, cached_tokens=800) == 5000


def test_parts_of_a_millionth_are_rounded_up():
    assert cost(input_tokens=1) == 1


def test_a_minute_of_audio_has_its_price():
    assert cost("ear", seconds=90.0) == 9000


@pytest.mark.parametrize(
    ("model", "known"),
    [("swift", True), ("swift-2027-01-02", True), ("swifter", False), ("other", False), ("", False)],
)
def test_a_dated_version_has_its_models_price_and_a_stranger_none(model, known):
    assert (cost(model, input_tokens=1000) == 250) is known
    assert (cost(model, input_tokens=1000) is None) is not known


def test_the_longest_name_that_fits_counts():
    assert cost("swift-pro-2027", input_tokens=1000) == 5000


def test_no_prices_are_no_costs(settings):
    settings.OPENAI_PRICES = ""

    assert cost(input_tokens=1000) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"m": 3}', "'m' should have some of input"),
        ('{"m": {}}', "'m' should have some of input"),
        ('{"m": {"inputs": 3}}', "and nothing else"),
        ('{"m": {"input": "dear"}}', "input of 'm' is 'dear'"),
        ('{"m": {"output": -1}}', "output of 'm' is -1"),
        ('{"m": {"output": NaN}}', "output of 'm'"),
        ('{"m": {"output": true}}', "output of 'm' is True"),
    ],
)
def test_prices_that_cannot_be_read_say_why(settings, text, said):
    settings.OPENAI_PRICES = text

    with pytest.raises(ImproperlyConfigured, match=said):
        cost()
    assert [(found.id, said in found.msg) for found in check_prices_and_budgets(None)] == [
        ("usage.E001", True)
    ]


def test_what_is_set_as_it_should_be_is_not_mentioned(settings):
    settings.BUDGET_COST_PER_DAY = 0.5
    settings.OPENAI_MODEL = "swift"

    assert check_prices_and_budgets(None) == []


def test_budgets_and_currencies_that_cannot_be_are_named(settings):
    settings.BUDGET_TOKENS_PER_DAY = -1
    settings.PRICE_CURRENCY = "dollars"

    assert [found.id for found in check_prices_and_budgets(None)] == ["usage.E002", "usage.E003"]


def test_a_budget_in_money_that_a_model_without_a_price_escapes_is_warned_of(settings):
    settings.BUDGET_COST_PER_DAY = 0.5
    settings.OPENAI_MODEL = "swift"
    settings.OPENAI_FALLBACK_MODEL = "unknown"

    (found,) = check_prices_and_budgets(None)
    assert found.id == "usage.W001"
    assert "unknown" in found.msg
