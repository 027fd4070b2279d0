"""System checks of the project: `manage.py check` and every start run them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from buddy.settings.environment import ENV_FILE

from .private_files import is_open, open_files
from .variable_names import unknown_names, values_with_comments


@register(Tags.security)
def check_private_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report files with personal data or secrets that other users of this machine can read."""
    database = settings.DATABASES["default"]
    name = str(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else ""
    found = open_files(settings.VAR_DIR, name) + [env for env in [settings.BASE_DIR / ".env"] if is_open(env)]
    found = [path for path in found if path != Path(settings.STATIC_ROOT)]  # public by intention
    if not found:
        return []
    return [
        Warning(
            f"Other users of this machine can reach {', '.join(map(str, found))}.",
            hint=f"Run: chmod -R go-rwx {' '.join(map(str, found))}",
            id="buddy.W001",
        )
    ]


@register()
def check_variable_names(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report variables that look like settings and change nothing, and lines of `.env` without one."""
    found: list[CheckMessage] = []
    try:
        unknown = list(unknown_names())
    except ImproperlyConfigured:
        return []  # the check of the engine reports it
    for name, place, similar in unknown:
        hint = f"Did you mean {similar}?" if similar else "Remove it, or correct its name."
        hint = f"{hint} docs/settings.md lists all settings."
        found.append(Warning(f"{name} in {place} is not a setting.", hint=hint, id="buddy.W002"))
    for line in ENV_FILE.unreadable:
        message = f"Line {line} of .env has no effect."
        hint = "Write NAME=value. A value with spaces before #, or with quotes, is in quotes."
        found.append(Warning(message, hint=hint, id="buddy.W003"))
    for name in values_with_comments():
        message = f"The value of {name} ends in what looks like a comment, and is used as it is."
        hint = "Docker and systemd keep comments after values. Write comments on lines of their own."
        found.append(Warning(message, hint=hint, id="buddy.W004"))
    return found


@register()
def check_optional_packages(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report settings whose package is not installed."""
    wanted = {"SENTRY_DSN": "sentry_sdk", "TRACES": "opentelemetry.exporter"}
    given = {"SENTRY_DSN": settings.SENTRY_DSN, "TRACES": settings.QUEUEING["TRACES"]}
    return [
        Warning(
            f"{name} is set, but its package is not installed.",
            hint="Install deploy/locks/monitoring.txt (docs/monitoring.md).",
            id="buddy.W007",
        )
        for name, package in wanted.items()
        if given[name] and not _is_installed(package)
    ]


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False
