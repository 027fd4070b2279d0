"""`manage.py queue_limits QUEUE …`."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from queueing.conf import QueueDef, get_queue
from queueing.control import limit_texts
from queueing.control.actions import ACTIONS
from queueing.control.limit_texts import LABELS
from queueing.errors import BadValue
from queueing.limits import live_limits
from queueing.management.operator import OperatorCommand
from queueing.schedule import presence, redis_client


class Command(OperatorCommand):
    """Change the limits of a queue."""

    help = (
        f"Change the limits of a queue. {ACTIONS['set_limits'].consequence}\n"
        "They survive restarts and deployments; --clear returns to the limits of the settings.\n"
        "Without a limit, the command prints the limits that apply now, and whether they come from the\n"
        "settings: those of the running workers, which may differ from the environment of this command."
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
        now, here = live_limits.effective(queue), get_queue(queue)
        running = _of_workers(queue)
        for name in live_limits.NAMES:
            value, own = (limit_texts.notation(getattr(one, name)) for one in (now, here))
            theirs = {limit_texts.notation(getattr(one, name)) for one in running} or {own}
            origin = "settings" if theirs == {own} else f"settings of the workers (here: {own})"
            shown = (value, "changed") if value != own else (", ".join(sorted(theirs)), origin)
            self.write("\t".join((name, *shown)))


def _of_workers(queue: str) -> list[QueueDef]:
    """Return the limits in the settings of the running workers; none without Redis."""
    try:
        return presence.limits_of_workers(get_queue(queue), presence.read_workers())
    except redis_client.Unavailable:
        return []


def _limiter(text: str) -> tuple[int, float] | str:
    """Parse `5/60`. `none` stays a word, because None is an option that is not given."""
    try:
        return limit_texts.parse_limiter(text) or "none"
    except BadValue as exc:
        raise argparse.ArgumentTypeError(exc.message) from None
