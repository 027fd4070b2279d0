"""REDIS_URL: what is accepted, and what is named at start (O2)."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from queueing.checks import check_queueing
from queueing.values.redis_url import parse_redis_url
from tests.support.valkey import point_at

GOOD = {
    "redis://localhost": ("server", (("localhost", 6379),), {}),
    "redis://:p%40ss@h:1/2": ("server", (("h", 1),), {"password": "p@ss", "db": 2}),
    "unix:///run/redis.sock?db=3": ("server", (), {"path": "/run/redis.sock", "db": 3}),
    "redis+sentinel://u:pw@a:1,b/main/1": (
        "sentinel",
        (("a", 1), ("b", 26379)),
        {"username": "u", "password": "pw", "db": 1},
    ),
    "rediss+cluster://a,[::1]:7000": ("cluster", (("a", 6379), ("::1", 7000)), {}),
}
BAD = (
    "",
    "localhost:6379",
    "http://localhost",
    "redis://a,b",
    "redis://localhost:port",
    "redis://localhost/name",
    "redis://:secret/1@localhost",
    "redis://:secret#1@localhost",
    "redis://localhost?unheard_of=1",
    "redis+sentinel://localhost:26379",
    "redis+cluster://localhost/3",
)


@pytest.mark.parametrize("url", GOOD)
def test_redis_url_of_each_kind_is_read(url):
    found = parse_redis_url(url)
    assert (found.kind, found.hosts, found.options) == GOOD[url]
    assert ("SSL" in found.connection_class.__name__) == url.startswith("rediss")


def test_redis_url_of_sentinels_has_their_own_password():
    found = parse_redis_url("redis+sentinel://:data@a/main?sentinel_password=watch")
    assert (found.primary, found.sentinel_options) == ("main", {"password": "watch"})
    assert found.options == {"password": "data"}


@pytest.mark.parametrize("url", BAD)
def test_wrong_redis_url_is_named_by_the_system_check_without_its_password(settings, url):
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        parse_redis_url(url)
    point_at(settings, url)
    (message,) = check_queueing()
    assert "REDIS_URL" in message.msg
    assert "secret" not in message.msg
