#!/usr/bin/env python
"""Django's command line."""

import sys

if __name__ == "__main__":
    try:
        from django.core.management import execute_from_command_line

        from buddy.start.startup import read_settings
    except ImportError as exc:
        raise SystemExit(
            "Django is not installed in this Python. Use `make run`, or `.venv/bin/python manage.py …`."
        ) from exc
    read_settings()
    execute_from_command_line(sys.argv)
