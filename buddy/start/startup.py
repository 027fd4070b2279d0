"""The first step of every process: read the settings, and stop with plain words if a value is wrong."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: The exit code of a process whose settings are wrong.
WRONG_SETTINGS = 2


def read_settings() -> None:
    """Read the settings. With wrong values, print a line for each and exit."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
    try:
        _ = settings.INSTALLED_APPS
    except ImproperlyConfigured as exc:
        print("buddy: these settings are wrong (docs/settings.md):", file=sys.stderr)  # noqa: T201
        print("\n".join(f"  {line}" for line in str(exc).splitlines()), file=sys.stderr)  # noqa: T201
        sys.exit(WRONG_SETTINGS)
