"""`manage.py queue_retry JOB_ID … | --queue QUEUE …`."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser

from queueing.conf import get_queue
from queueing.management.operator import OperatorCommand, job_id
from queueing.models import Job
from queueing.monitoring import failures
from queueing.states import State


class Command(OperatorCommand):
    """Retry failed or cancelled jobs."""

    help = (
        "Retry failed or cancelled jobs, with all their attempts: jobs by their ids, all failed jobs of a\n"
        "queue, or those with one kind and error code. Jobs that failed only because such a job failed\n"
        "wait for it again."
    )
    examples = (
        "  manage.py queue_retry 0198c0ffee0000000000000000000000\n"
        "  manage.py queue_retry --queue openai-chat                        all failed jobs\n"
        "  manage.py queue_retry --queue openai-chat --code provider_error  those with this error code\n"
        "  manage.py queue_retry --queue openai-chat --kind chat.reply --code no_quota"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the ids, or the queue and what selects its jobs."""
        parser.add_argument("job_id", nargs="*", type=job_id, help="ids, 32 hex digits each")
        parser.add_argument("--queue", help="failed jobs of this queue")
        parser.add_argument("--kind", help="only jobs of this kind")
        parser.add_argument("--code", help="only jobs with this error code")
        parser.add_argument(
            "--most", type=int, metavar="N", help="maximum number of jobs of each kind and code, oldest first"
        )
        super().add_arguments(parser)

    def operate(self, options: dict[str, Any]) -> None:
        """Retry job by job, or group by group."""
        ids, queue = options["job_id"], options["queue"]
        if bool(ids) == bool(queue):
            raise CommandError("Give either job ids or a queue with --queue.")
        if ids and any(options[name] is not None for name in ("kind", "code", "most")):
            raise CommandError("--kind, --code and --most need --queue.")
        if ids:
            for one in ids:
                self._retry(one)
        else:
            self._retry_groups(get_queue(queue).name, options)

    def _retry(self, one: UUID) -> None:
        try:
            self.perform("retry", job_id=one)
        except Job.DoesNotExist:
            newest = Job.objects.filter(state=State.FAILED).order_by("-id").values_list("id", flat=True)[:5]
            known = ", ".join(found.hex for found in newest) or "none"
            raise CommandError(f"There is no job {one.hex}. The newest failed jobs: {known}.") from None

    def _retry_groups(self, queue: str, options: dict[str, Any]) -> None:
        groups = [
            group
            for group in failures.groups(queue)
            if options["kind"] in (None, group.kind) and options["code"] in (None, group.code)
        ]
        for group in groups:
            self.perform(
                "retry_group", queue=group.queue, kind=group.kind, code=group.code, most=options["most"]
            )
        if not groups:
            self.write(f"{queue} has no such failed jobs.")
