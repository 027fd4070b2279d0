"""What the commands of operators share: help worth reading, who acts, and errors with the way out."""

import argparse
import getpass
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import DatabaseError

from queueing.conf import get_queue
from queueing.control.audited import Who
from queueing.errors import QueueingError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
#: Exit code when nobody can tell: the database is away, or what was asked makes no sense.
CANNOT_TELL = 3


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of options, and our line breaks."""


class HelpfulCommand(BaseCommand):
    """A command whose `--help` ends with `examples`, lines of text kept as they are."""

    examples = ""
    #: Their warnings are for those who start servers, not for each call of a script.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's, with the examples."""
        epilog = f"examples:\n{self.examples}" if self.examples else None
        return super().create_parser(
            prog_name, subcommand, formatter_class=_Formatter, epilog=epilog, **kwargs
        )


class OperatorCommand(HelpfulCommand):
    """A command that acts. `operate` does it, and what it raises becomes a sentence."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Who acts, and why."""
        parser.add_argument("--actor", default=user("shell"), help="who the record names (%(default)s)")
        parser.add_argument("--note", default="", help="why, for the record")

    def handle(self, *args: Any, **options: Any) -> None:
        """Calls `operate` with who acts and why."""
        with told():
            self.operate({"actor": options["actor"], "note": options["note"]}, options)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """Do it; `who` is given on to each verb of `operating`."""
        raise NotImplementedError

    def say(self, sentence: str) -> None:
        """One line of output."""
        self.stdout.write(sentence)


@contextmanager
def told() -> Iterator[None]:
    """Turn what can go wrong into a `CommandError`."""
    try:
        yield
    except (QueueingError, ImproperlyConfigured) as exc:
        raise CommandError(str(exc)) from None
    except DatabaseError as exc:
        text = f"The database does not answer as it should: {exc}\nIs DATABASE_URL right, and is it migrated?"
        raise CommandError(text, returncode=CANNOT_TELL) from None


def user(where: str) -> str:
    """The name of who sits at the keyboard, such as `shell:anna`."""
    try:
        return f"{where}:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return where


def known(names: Sequence[str]) -> Sequence[str]:
    """The queues' names as they are; an unknown one raises before anything is done to the others."""
    for name in names:
        get_queue(name)
    return names


def duration(text: str) -> timedelta:
    """What an option such as `7d` means."""
    if not (found := re.fullmatch(r"(\d{1,6})([smhd])", text)):
        raise argparse.ArgumentTypeError(f"{text!r} should be a number and s, m, h or d, such as 90s or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def job_id(text: str) -> UUID:
    """A job's id, as 32 hex digits with or without dashes."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no job id: those are 32 hex digits") from None
