"""Before anything starts: are the settings sound, are the database and the static files up to date."""

import os
import sys

import django
from django.core.management import call_command
from django.core.management.base import BaseCommand, SystemCheckError
from django.db import OperationalError


def main() -> None:
    """Check, migrate and collect static files; ends with a sentence when one of them does not work.

    Collecting takes about a second and lets a local run, too, serve the very files of production.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
    django.setup()
    try:
        BaseCommand().check()
        call_command("migrate", interactive=False, verbosity=0)
    except SystemCheckError as error:
        sys.exit(str(error))
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        sys.exit(f"The database cannot be used: {reason}. Mend that, or name another in DATABASE_URL.")
    call_command("collectstatic", interactive=False, verbosity=0)


if __name__ == "__main__":
    main()
