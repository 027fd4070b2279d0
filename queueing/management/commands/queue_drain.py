"""`manage.py queue_drain QUEUE --yes`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from queueing.conf import get_queue
from queueing.control.actions import ACTIONS
from queueing.management.operator import OperatorCommand

_ACTION = ACTIONS["drain"]


class Command(OperatorCommand):
    """Drain a queue."""

    help = (
        f"Drain a queue. {_ACTION.consequence}\n"
        "The owners of the jobs are notified. There is no command to undo this (queue_retry takes single\n"
        "cancelled jobs by their ids), so --yes is required."
    )
    examples = "  manage.py queue_drain background --yes --note 'submitted twice by mistake'"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the queue and the confirmation."""
        parser.add_argument("queue", help="name of the queue")
        parser.add_argument("--yes", action="store_true", help="confirm")
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """Drain the queue."""
        queue = get_queue(options["queue"]).name
        if not options["yes"]:
            raise CommandError(f"{_ACTION.warning} Add --yes to confirm.")
        self.perform("drain", queue=queue)
