"""`manage.py queue_limits QUEUE …`."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from queueing.conf import get_queue
from queueing.control import limit_texts
from queueing.control.actions import ACTIONS
from queueing.control.limit_texts import LABELS
from queueing.errors import BadValue
from queueing.limits import live_limits
from queueing.management.operator import OperatorCommand


class Command(OperatorCommand):
    """Change the limits of a queue."""

    help = (
        f"Change the limits of a queue. {ACTIONS['set_limits'].consequence}\n"
        "They survive restarts and deployments; --clear returns to the limits of the settings.\n"
        "Without a limit, the command prints the limits that apply now, and whether they come from the\n"
        "settings."
    )
    examples = (
        "  manage.py queue_limits openai-chat | column -t\n"
        "  manage.py queue_limits openai-chat --concurrency 10\n"
        "  manage.py queue_limits large-requests --limiter 5/60     five starts in any 60 seconds\n"
        "  manage.py queue_limits large-requests --limiter none\n"
        "  manage.py queue_limits openai-chat --clear"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the queue and its limits."""
        parser.add_argument("queue", help="name of the queue")
        for name in live_limits.NUMBERS:
            zero = "" if name == "concurrency" else "; 0 is no limit"
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=int, metavar="N", help=f"{LABELS[name]}{zero}")
        parser.add_argument(
            "--limiter",
            type=_limiter,
            metavar="N/SECONDS",
            help=f"{LABELS['limiter']}: starts/seconds, or none",
        )
        parser.add_argument("--clear", action="store_true", help="reset to the limits of the settings")
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """Reset first, then change."""
        queue = get_queue(options["queue"]).name
        values = {name: options[name] for name in live_limits.NAMES if options[name] is not None}
        if not values and not options["clear"]:
            self._show(queue)
        if options["clear"]:
            self.perform("clear_limits", queue=queue)
        if values:
            limits = {name: None if value == "none" else value for name, value in values.items()}
            self.perform("set_limits", queue=queue, limits=limits)

    def _show(self, queue: str) -> None:
        now, settings = live_limits.effective(queue), get_queue(queue)
        for name in live_limits.NAMES:
            value, wanted = getattr(now, name), getattr(settings, name)
            self.write(
                f"{name}\t{limit_texts.notation(value)}\t{'settings' if value == wanted else 'changed'}"
            )


def _limiter(text: str) -> tuple[int, float] | str:
    """Parse `5/60`. `none` stays a word, because None is an option that is not given."""
    try:
        return limit_texts.parse_limiter(text) or "none"
    except BadValue as exc:
        raise argparse.ArgumentTypeError(exc.message) from None
