"""System checks of the channels."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def check_channels(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report addresses that no alert can be sent to."""
    found: list[CheckMessage] = []
    for name in ("ALERT_WEBHOOK_URL", "ALERT_SLACK_URL"):
        address = getattr(settings, name)
        if address and not address.startswith(("http://", "https://")):
            hint = "Use an address that begins with https:// or http://."
            found.append(Error(f"{name} is no address.", hint=hint, id="buddy.E001"))
    if settings.ALERT_EMAILS and not settings.EMAIL_HOST:
        hint = "Set EMAIL_HOST (docs/settings.md)."
        found.append(Warning("ALERT_EMAILS is set, but no mail server.", hint=hint, id="buddy.W006"))
    return found
