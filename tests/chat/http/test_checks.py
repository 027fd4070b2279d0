"""System checks of the HTTP settings."""

import pytest

from chat.http.checks import check_client_url


def ids(check) -> list[str]:
    return [message.id for message in check(None)]


@pytest.mark.parametrize("url", ["buddy.example.org", "https://", "https://buddy.example.org/chat", "ws://x"])
def test_invalid_client_url_is_an_error(settings, url):
    settings.CLIENT_URL = url
    assert ids(check_client_url) == ["chat.E004"]


@pytest.mark.parametrize("url", ["", "http://localhost:8000", "https://buddy.example.org/"])
def test_valid_client_url_passes(settings, url):
    settings.CLIENT_URL = url
    assert ids(check_client_url) == []
