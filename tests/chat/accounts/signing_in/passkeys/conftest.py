"""All tests of passkeys open the site over HTTPS."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def https(settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
