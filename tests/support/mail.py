"""A site that can send e-mail, into `django.core.mail.outbox`."""

from typing import Any

import pytest


@pytest.fixture
def mail_server(settings: Any) -> Any:
    """A site that can send e-mail; return the settings."""
    from buddy.settings.accounts import by_mail

    settings.SENDS_MAIL, settings.CLIENT_URL = True, "https://buddy.example.org"
    for name, value in by_mail(True).items():
        setattr(settings, name, value)
    return settings
