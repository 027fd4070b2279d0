"""System checks of limits and trusted proxies."""

import pytest

from chat.limits.checks import check_limits, check_trusted_proxies
from chat.limits.rules import parse


def ids(found):
    return [message.id for message in found]


@pytest.mark.parametrize("text", ["", " ", "20/minute;200/hour", "5 per 10 minutes", "1/day"])
def test_valid_limit_passes_the_check(settings, text):
    settings.LIMITS = settings.LIMITS | {"anonymous": text}
    assert ids(check_limits(None)) == []
    assert bool(parse(text)) == bool(text.strip())


@pytest.mark.parametrize("text", ["many", "20", "20/fortnight", "0/minute", "-1/minute", "20/minute;"])
def test_invalid_limit_is_reported_with_its_setting_and_a_hint(settings, text):
    settings.LIMITS = settings.LIMITS | {"login": text}
    (error,) = check_limits(None)
    assert error.id == "chat.E010"
    assert "LIMIT_LOGIN" in error.msg
    assert "20/minute" in error.hint


@pytest.mark.parametrize("seconds", [-1, 3601])
def test_maximum_wait_out_of_range_is_reported(settings, seconds):
    settings.LIMIT_MAX_WAIT = seconds
    assert ids(check_limits(None)) == ["chat.E011"]


@pytest.mark.parametrize(
    ("proxies", "https", "expected"),
    [
        ([], False, []),
        ([], True, ["chat.W010"]),
        (["10.0.0.0/8", "192.0.2.1", "fd00::/8", "unix"], True, []),
        (["proxy.example.org"], False, ["chat.E012"]),
        (["10.0.0.1/8"], True, ["chat.E012"]),
    ],
)
def test_trusted_proxies_are_checked_with_https(settings, proxies, https, expected):
    settings.TRUSTED_PROXIES, settings.HTTPS = proxies, https
    assert ids(check_trusted_proxies(None)) == expected
