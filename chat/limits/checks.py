"""System checks of LIMIT_* and TRUSTED_PROXIES: `manage.py check` and every start run them."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from .addresses import UNIX, parse_network
from .rules import parse


@register()
def check_limits(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every limit can be understood, and lets something through."""
    found: list[CheckMessage] = []
    for name, text in settings.LIMITS.items():
        try:
            parse(text)
        except ValueError:
            found.append(
                Error(
                    f"LIMIT_{name.upper()} is {text!r}, which is no limit.",
                    hint="Write counts and times, such as 20/minute;200/hour or 5 per 10 minutes; "
                    "nothing for no limit.",
                    id="chat.E010",
                )
            )
    if not 0 <= settings.LIMIT_MAX_WAIT <= 3600:
        found.append(
            Error(
                f"LIMIT_MAX_WAIT is {settings.LIMIT_MAX_WAIT}.",
                hint="Use seconds from 0 (refuse at once) to 3600.",
                id="chat.E011",
            )
        )
    return found


@register()
def check_trusted_proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every trusted proxy is a network; and whoever is behind a proxy says so."""
    wrong = [text for text in settings.TRUSTED_PROXIES if text != UNIX and not _is_network(text)]
    if wrong:
        return [
            Error(
                f"TRUSTED_PROXIES names {', '.join(map(repr, wrong))}, which is no network.",
                hint=f"Write addresses or networks such as 10.0.0.0/8, or {UNIX} for Unix sockets, "
                "separated by commas. A network's host bits must be 0.",
                id="chat.E012",
            )
        ]
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "CLIENT_URL is https://, so there is a proxy before us, but TRUSTED_PROXIES names none.",
                hint="All visitors look like one address, and share its limits. Name the proxy's address.",
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
