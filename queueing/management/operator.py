"""What the commands of operators share: help with examples, the audit fields, and errors in sentences."""

import argparse
import asyncio
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
from queueing.control.actions import ACTIONS
from queueing.control.operator_action import Target
from queueing.errors import QueueingError
from queueing.monitoring import health
from queueing.schedule import redis_client
from queueing.values.cleaning import escape_unprintable

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
#: Exit code when the health is unknown: the database is unavailable, or an option is invalid.
EXIT_UNKNOWN = 3
_CHECK_DATABASE = "Check DATABASE_URL and run the migrations."


class _Formatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Django's order of options, and line breaks as written."""


class HelpfulCommand(BaseCommand):
    """A command whose `--help` ends with `examples`, printed as written."""

    examples = ""
    #: The warnings of system checks are for the start of servers, not for each call of a script.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return Django's parser, with the examples."""
        epilog = f"examples:\n{self.examples}" if self.examples else None
        return super().create_parser(
            prog_name, subcommand, formatter_class=_Formatter, epilog=epilog, **kwargs
        )

    def write(self, sentence: str) -> None:
        """Write one line of output."""
        self.stdout.write(escape_unprintable(sentence, keep="\t"))


class OperatorCommand(HelpfulCommand):
    """A command that performs actions of operators."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the fields of the audit entry."""
        parser.add_argument(
            "--actor", default=default_actor("shell"), help="name for the audit log (%(default)s)"
        )
        parser.add_argument("--note", default="", help="reason, for the audit log")

    def handle(self, *args: Any, **options: Any) -> None:
        """Call `operate`, and turn known errors into a `CommandError`."""
        self._audit = {"actor": options["actor"], "note": options["note"]}
        with command_errors():
            self.operate(options)

    def operate(self, options: dict[str, Any]) -> None:
        """Perform the actions."""
        raise NotImplementedError

    def perform(self, name: str, **target: Any) -> None:
        """Perform one action, and write its result."""
        self.write(ACTIONS[name].perform(Target(**self._audit, **target)))


class QueuesCommand(OperatorCommand):
    """A command that performs one action on each of the named queues."""

    action: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the queues."""
        parser.add_argument("queue", nargs="+", help="names of queues")
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """Perform the action queue by queue."""
        for queue in require_queues(options["queue"]):
            self.perform(self.action, queue=queue)


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn known errors into a `CommandError`."""
    try:
        yield
    except (QueueingError, ImproperlyConfigured) as exc:
        raise CommandError(escape_unprintable(str(exc))) from None
    except DatabaseError as exc:
        reason = escape_unprintable(str(exc))
        text = (
            f"The database does not respond correctly: {reason}\nCheck DATABASE_URL and run the migrations."
        )
        raise CommandError(text, returncode=EXIT_UNKNOWN) from None


def read_health() -> dict[str, Any]:
    """Return the queues' health, read on an event loop of its own."""

    async def read() -> dict[str, Any]:
        try:
            return await health.queue_health()
        finally:
            await redis_client.aclose()

    with command_errors():
        return asyncio.run(read())


def default_actor(prefix: str) -> str:
    """Return a name for the audit log from the system's user, such as `shell:anna`."""
    try:
        return f"{prefix}:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user without a name
        return prefix


def require_queues(names: Sequence[str]) -> Sequence[str]:
    """Return the names. Raise `ImproperlyConfigured` for an unknown queue, before anything is done."""
    for name in names:
        get_queue(name)
    return names


def duration(text: str) -> timedelta:
    """Parse an option such as `7d`."""
    if not (found := re.fullmatch(r"(\d{1,6})([smhd])", text)):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number and s, m, h or d, such as 90s or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def job_id(text: str) -> UUID:
    """Parse a job id: 32 hex digits with or without dashes."""
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a job id: a job id has 32 hex digits") from None
