"""System checks of the project: `manage.py check` and every start run them."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from .private_files import is_open, open_files


@register(Tags.security)
def check_private_files(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report files with personal data or secrets that other users of this machine can read."""
    database = settings.DATABASES["default"]
    name = str(database["NAME"]) if database["ENGINE"].endswith("sqlite3") else ""
    found = open_files(settings.VAR_DIR, name) + [env for env in [settings.BASE_DIR / ".env"] if is_open(env)]
    if not found:
        return []
    return [
        Warning(
            f"Other users of this machine can reach {', '.join(map(str, found))}.",
            hint=f"Run: chmod -R go-rwx {' '.join(map(str, found))}",
            id="buddy.W001",
        )
    ]
