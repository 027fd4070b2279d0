"""`manage.py queue_clean --state … --older-than …`."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from queueing.conf import get_conf
from queueing.control import audited
from queueing.control.audited import Who
from queueing.management.operator import OperatorCommand, duration, known
from queueing.models import Job
from queueing.states import FINISHED


class Command(OperatorCommand):
    """Forget finished jobs."""

    help = (
        "Remove finished jobs from the record for good, with their history and their results; --dry-run\n"
        "only counts them. Without this they go by themselves after QUEUEING['KEEP_DAYS'] (30)."
    )
    examples = (
        "  manage.py queue_clean --state completed --older-than 7d --dry-run\n"
        "  manage.py queue_clean --state failed --older-than 12h --queue openai-chat"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("--state", required=True, choices=[str(state) for state in sorted(FINISHED)])
        parser.add_argument(
            "--older-than",
            required=True,
            type=duration,
            metavar="AGE",
            help="ended so long ago: 90s, 15m, 12h, 7d",
        )
        parser.add_argument("--queue", help="only this queue's")
        parser.add_argument("--dry-run", action="store_true", help="count them, and change nothing")
        super().add_arguments(parser)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """Queue by queue."""
        state, age = options["state"], options["older_than"]
        for queue in known([options["queue"]]) if options["queue"] else list(get_conf().queues):
            if options["dry_run"]:
                old = Job.objects.filter(queue=queue, state=state, finished_at__lt=timezone.now() - age)
                self.say(f"{old.count()} {state} jobs of {queue} would go.")
            else:
                removed = audited.clean(queue, state=state, older_than=age, **who)
                self.say(f"{removed} {state} jobs of {queue} removed.")
