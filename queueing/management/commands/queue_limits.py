"""`manage.py queue_limits QUEUE …`."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from queueing.conf import Limiter, get_queue
from queueing.control import audited
from queueing.control.audited import Who
from queueing.limits import live_limits
from queueing.management.operator import OperatorCommand


class Command(OperatorCommand):
    """Change a queue's limits."""

    help = (
        "Change what limits a queue, at once and for every worker; it outlives restarts and deploys until\n"
        "--clear, which brings back what the settings say. Without any limit it prints what holds now, and\n"
        "whether that is from the settings."
    )
    examples = (
        "  manage.py queue_limits openai-chat | column -t\n"
        "  manage.py queue_limits openai-chat --concurrency 10\n"
        "  manage.py queue_limits large-requests --limiter 5/60     five starts in any minute\n"
        "  manage.py queue_limits large-requests --limiter none\n"
        "  manage.py queue_limits openai-chat --clear"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What."""
        parser.add_argument("queue", help="the queue's name")
        parser.add_argument("--concurrency", type=int, metavar="N", help="jobs at once, in each cluster")
        parser.add_argument(
            "--global-concurrency", type=int, metavar="N", help="jobs at once, in all; 0 is no cap"
        )
        parser.add_argument(
            "--owner-concurrency", type=int, metavar="N", help="jobs at once of one owner; 0 is no cap"
        )
        parser.add_argument("--limiter", type=_limiter, metavar="N/SECONDS", help="starts in a time, or none")
        parser.add_argument("--clear", action="store_true", help="back to the settings")
        super().add_arguments(parser)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """Clear first, then set."""
        queue = get_queue(options["queue"]).name
        names = ("concurrency", "global_concurrency", "owner_concurrency", "limiter")
        values = {name: options[name] for name in names if options[name] is not None}
        if not values and not options["clear"]:
            self._show(queue)
        if options["clear"]:
            audited.clear_limits(queue, **who)
            self.say(f"{queue} is limited as the settings say.")
        if values:
            kept = {name: None if value == "none" else value for name, value in values.items()}
            audited.set_limits(queue, **kept, **who)
            self.say(f"{queue}: {', '.join(f'{name} {_said(value)}' for name, value in values.items())}.")

    def _show(self, queue: str) -> None:
        now, settings = live_limits.effective(queue), get_queue(queue)
        for name in live_limits.NAMES:
            value, wanted = getattr(now, name), getattr(settings, name)
            self.say(f"{name}\t{_said(value)}\t{'settings' if value == wanted else 'changed'}")


def _limiter(text: str) -> tuple[int, float] | str:
    """`none` stays the word: None is an option that was not given."""
    if text == "none":
        return text
    try:
        most, seconds = text.split("/")
        return int(most), float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} should be starts/seconds such as 5/60, or none") from None


def _said(value: Any) -> str:
    if isinstance(value, Limiter):
        value = (value.max, value.duration)
    return f"{value[0]}/{value[1]:g}" if isinstance(value, tuple) else str(value or "none")
