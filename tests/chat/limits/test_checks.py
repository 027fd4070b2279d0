"""What the start says about limits and proxies that cannot be."""

import pytest

from chat.limits.checks import check_limits, check_trusted_proxies
from chat.limits.rules import parse


def ids(found):
    return [message.id for message in found]


@pytest.mark.parametrize("text", ["", " ", "20/minute;200/hour", "5 per 10 minutes", "1/day"])
def test_limits_as_people_write_them_are_understood(settings, text):
    settings.LIMITS = settings.LIMITS | {"anonymous": text}
    assert ids(check_limits(None)) == []
    assert bool(parse(text)) == bool(text.strip())


@pytest.mark.parametrize("text", ["many", "20", "20/fortnight", "0/minute", "-1/minute", "20/minute;"])
def test_what_is_no_limit_is_named_with_its_setting_and_the_way_out(settings, text):
    settings.LIMITS = settings.LIMITS | {"login": text}
    (error,) = check_limits(None)
    assert error.id == "chat.E010"
    assert "LIMIT_LOGIN" in error.msg
    assert "20/minute" in error.hint


@pytest.mark.parametrize("seconds", [-1, 3601])
def test_nobody_is_held_for_ever(settings, seconds):
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
def test_proxies_are_networks_and_who_is_behind_one_says_so(settings, proxies, https, expected):
    settings.TRUSTED_PROXIES, settings.HTTPS = proxies, https
    assert ids(check_trusted_proxies(None)) == expected
