"""REDIS_PASSWORD beside REDIS_URL (O2)."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from buddy.settings.environment import with_password


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("redis://h:1/0", "redis://:a%2Fb@h:1/0"),
        ("redis://user@h", "redis://user:a%2Fb@h"),
        ("redis://user:a%2Fb@h", "redis://user:a%2Fb@h"),
        ("redis+sentinel://user@h:1,g:2/main/0", "redis+sentinel://user:a%2Fb@h:1,g:2/main/0"),
        ("unix:///run/redis.sock", "unix://:a%2Fb@/run/redis.sock"),
        ("h:6379", "h:6379"),
    ],
)
def test_redis_password_is_used_with_each_url(url, whole):
    assert with_password(url, "a/b") == whole
    assert with_password(url, "") == url


def test_redis_password_other_than_that_of_the_url_is_an_error():
    with pytest.raises(ImproperlyConfigured, match="REDIS_PASSWORD"):
        with_password("redis://user:one@h", "two")
