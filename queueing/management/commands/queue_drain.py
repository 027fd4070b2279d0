"""`manage.py queue_drain QUEUE --yes`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from queueing.conf import get_queue
from queueing.control import audited
from queueing.control.audited import Who
from queueing.management.operator import OperatorCommand


class Command(OperatorCommand):
    """Cancel what waits."""

    help = (
        "Cancel all jobs of a queue that wait or are delayed; what runs goes on. Their owners are told.\n"
        "This cannot be undone in one go (queue_retry takes cancelled jobs by their ids), so it wants --yes."
    )
    examples = "  manage.py queue_drain background --yes --note 'submitted twice by mistake'"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and whether it is meant."""
        parser.add_argument("queue", help="the queue's name")
        parser.add_argument("--yes", action="store_true", help="it is meant")
        super().add_arguments(parser)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """All of them."""
        queue = get_queue(options["queue"]).name
        if not options["yes"]:
            raise CommandError(f"Cancels all that waits in {queue}. Say --yes if that is meant.")
        self.say(f"{audited.drain(queue, **who)} jobs of {queue} cancelled.")
