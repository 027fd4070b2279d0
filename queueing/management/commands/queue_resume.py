"""`manage.py queue_resume QUEUE …`."""

from typing import Any

from django.core.management.base import CommandParser

from queueing.control import audited
from queueing.control.audited import Who
from queueing.management.operator import OperatorCommand, known


class Command(OperatorCommand):
    """Let queues go on."""

    help = "Let paused queues go on. One that is not paused stays as it is."
    examples = "  manage.py queue_resume openai-chat"

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("queue", nargs="+", help="the queues' names")
        super().add_arguments(parser)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """One after the other."""
        for queue in known(options["queue"]):
            audited.resume(queue, **who)
            self.say(f"{queue} goes on.")
