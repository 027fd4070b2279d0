"""Prices and costs from the settings."""

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
def with_prices(settings):
    settings.OPENAI_PRICES = PRICES


def cost(model="swift", input_tokens=0, output_tokens=0, **more):
    return prices.cost_of(model, input_tokens=input_tokens, output_tokens=output_tokens, **more)


def test_price_per_million_equals_millionths_per_token():
    assert cost(input_tokens=1000, output_tokens=300) == 250 + 600


def test_cached_tokens_cost_the_cached_price():
    assert cost(input_tokens=1000, cached_tokens=800) == 50 + 20


def test_more_cached_than_input_tokens_never_make_a_negative_price():
    assert cost(input_tokens=100, cached_tokens=800) == 3


def test_cached_price_missing_defaults_to_the_input_price():
    assert cost("swift-pro", input_tokens=1000, cached_tokens=800) == 5000


def test_fraction_of_a_millionth_is_rounded_up():
    assert cost(input_tokens=1) == 1


def test_audio_costs_its_price_per_minute():
    assert cost("ear", seconds=90.0) == 9000


@pytest.mark.parametrize(
    ("model", "known"),
    [("swift", True), ("swift-2027-01-02", True), ("swifter", False), ("other", False), ("", False)],
)
def test_dated_model_has_the_price_of_its_model_and_unknown_has_none(model, known):
    assert (cost(model, input_tokens=1000) == 250) is known
    assert (cost(model, input_tokens=1000) is None) is not known


def test_longest_matching_model_name_wins():
    assert cost("swift-pro-2027", input_tokens=1000) == 5000


def test_cost_without_prices_is_none(settings):
    settings.OPENAI_PRICES = ""

    assert cost(input_tokens=1000) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"m": 3}', "'m' may only have the prices input"),
        ('{"m": {}}', "'m' may only have the prices input"),
        ('{"m": {"inputs": 3}}', "needs at least one"),
        ('{"m": {"input": "dear"}}', "input of 'm' is 'dear'"),
        ('{"m": {"output": -1}}', "output of 'm' is -1"),
        ('{"m": {"output": NaN}}', "output of 'm'"),
        ('{"m": {"output": true}}', "output of 'm' is True"),
    ],
)
def test_invalid_prices_raise_with_the_reason(settings, text, reason):
    settings.OPENAI_PRICES = text

    with pytest.raises(ImproperlyConfigured, match=reason):
        cost()
    assert [(found.id, reason in found.msg) for found in check_prices_and_budgets(None)] == [
        ("usage.E001", True)
    ]


def test_valid_settings_pass_the_checks(settings):
    settings.BUDGET_COST_PER_DAY = 0.5
    settings.OPENAI_MODEL = "swift"

    assert check_prices_and_budgets(None) == []


def test_invalid_budget_and_currency_are_reported(settings):
    settings.BUDGET_TOKENS_PER_DAY = -1
    settings.PRICE_CURRENCY = "dollars"

    assert [found.id for found in check_prices_and_budgets(None)] == ["usage.E002", "usage.E003"]


def test_cost_budget_with_unpriced_model_is_a_warning(settings):
    settings.BUDGET_COST_PER_DAY = 0.5
    settings.OPENAI_MODEL = "swift"
    settings.OPENAI_FALLBACK_MODEL = "unknown"

    (found,) = check_prices_and_budgets(None)
    assert found.id == "usage.W001"
    assert "unknown" in found.msg
