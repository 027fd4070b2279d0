"""`manage.py queue_pause QUEUE …`."""

from typing import Any

from django.core.management.base import CommandParser

from queueing.control import audited
from queueing.control.audited import Who
from queueing.management.operator import OperatorCommand, known


class Command(OperatorCommand):
    """Pause queues."""

    help = (
        "Start nothing more on the queues; what runs finishes, and what is submitted waits. The pause is\n"
        "in the database: it outlives restarts, deploys and an emptied Redis, until queue_resume."
    )
    examples = (
        "  manage.py queue_pause openai-chat --note 'the provider has trouble'\n"
        "  manage.py queue_pause openai-chat large-requests background"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("queue", nargs="+", help="the queues' names")
        super().add_arguments(parser)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """One after the other."""
        for queue in known(options["queue"]):
            audited.pause(queue, **who)
            self.say(f"{queue} is paused.")
