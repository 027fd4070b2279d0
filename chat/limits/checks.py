"""System checks of LIMIT_* and TRUSTED_PROXIES: `manage.py check` and every start run them."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .addresses import UNIX, parse_network
from .rules import parse


@register()
def check_limits(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report limits that are invalid or allow nothing, and an invalid LIMIT_MAX_WAIT."""
    found: list[CheckMessage] = []
    for name, text in settings.LIMITS.items():
        try:
            parse(text)
        except ValueError:
            found.append(
                Error(
                    f"LIMIT_{name.upper()} is {text!r}, which is not a valid limit.",
                    hint="Use a number and a period, such as 20/minute;200/hour or 5 per 10 minutes. "
                    "Leave it empty for no limit.",
                    id="chat.E010",
                )
            )
    if not 0 <= settings.LIMIT_MAX_WAIT <= 3600:
        found.append(
            Error(
                f"LIMIT_MAX_WAIT is {settings.LIMIT_MAX_WAIT}.",
                hint="Use 0 (refuse at once) to 3600 seconds.",
                id="chat.E011",
            )
        )
    return found


@register()
def check_trusted_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report trusted proxies that are not networks, and HTTPS without a trusted proxy."""
    wrong = [text for text in settings.TRUSTED_PROXIES if text != UNIX and not _is_network(text)]
    if wrong:
        return [
            Error(
                f"TRUSTED_PROXIES names {', '.join(map(repr, wrong))}, which is not a network.",
                hint=f"Use addresses, networks such as 10.0.0.0/8, or {UNIX} for Unix sockets, separated by "
                "commas. The host bits of a network must be 0.",
                id="chat.E012",
            )
        ]
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "The site is at https://, so it is behind a proxy, but TRUSTED_PROXIES is empty.",
                hint="All visitors appear to have one address and share its limits. Add the proxy's address.",
                id="chat.W010",
            )
        ]
    return []


def _is_network(text: str) -> bool:
    try:
        parse_network(text)
    except ValueError:
        return False
    return True
