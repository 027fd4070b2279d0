"""`manage.py queue_clean --state … --older-than …`."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from queueing.conf import get_conf
from queueing.control import figures
from queueing.control.actions import ACTIONS
from queueing.management.operator import OperatorCommand, duration, require_queues
from queueing.models import Job
from queueing.states import FINISHED


class Command(OperatorCommand):
    """Remove finished jobs."""

    help = (
        f"Remove finished jobs. {ACTIONS['clean'].warning}\n"
        "With --dry-run they are only counted. Finished jobs are also removed automatically after\n"
        "QUEUEING['KEEP_DAYS'] (30) days."
    )
    examples = (
        "  manage.py queue_clean --state completed --older-than 7d --dry-run\n"
        "  manage.py queue_clean --state failed --older-than 12h --queue openai-chat"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the state, the age and the queue."""
        parser.add_argument("--state", required=True, choices=[str(state) for state in sorted(FINISHED)])
        parser.add_argument(
            "--older-than",
            required=True,
            type=duration,
            metavar="AGE",
            help="minimum time since the end of the job: 90s, 15m, 12h, 7d",
        )
        parser.add_argument("--queue", help="only this queue")
        parser.add_argument("--dry-run", action="store_true", help="count the jobs and change nothing")
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """Clean queue by queue."""
        state, age = options["state"], options["older_than"]
        for queue in require_queues([options["queue"]]) if options["queue"] else list(get_conf().queues):
            if options["dry_run"]:
                old = Job.objects.filter(queue=queue, state=state, finished_at__lt=timezone.now() - age)
                self.write(f"{figures.jobs(old.count(), state=state, queue=queue)} would be removed.")
            else:
                self.perform("clean", queue=queue, state=state, older_than=age)
