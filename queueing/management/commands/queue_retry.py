"""`manage.py queue_retry JOB_ID … | --queue QUEUE …`."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from queueing.conf import get_queue
from queueing.control import audited
from queueing.control.audited import Who
from queueing.management.operator import OperatorCommand, job_id
from queueing.models import Job
from queueing.monitoring import failures
from queueing.states import State


class Command(OperatorCommand):
    """Run jobs again."""

    help = (
        "Run failed or cancelled jobs again, with all their attempts: those named by their ids, or all of\n"
        "a queue that failed, or those of them that failed in one way. What failed only because such a\n"
        "job did waits for it again."
    )
    examples = (
        "  manage.py queue_retry 0198c0ffee0000000000000000000000\n"
        "  manage.py queue_retry --queue openai-chat                        all that failed\n"
        "  manage.py queue_retry --queue openai-chat --code provider_error  that failed in this way\n"
        "  manage.py queue_retry --queue openai-chat --kind chat.reply --code no_quota"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("job_id", nargs="*", type=job_id, help="ids, 32 hex digits each")
        parser.add_argument("--queue", help="failed jobs of this queue")
        parser.add_argument("--kind", help="of them, those of this kind")
        parser.add_argument("--code", help="of them, those that failed with this code")
        parser.add_argument(
            "--most", type=int, metavar="N", help="of each kind and code at most so many, oldest first"
        )
        super().add_arguments(parser)

    def operate(self, who: Who, options: dict[str, Any]) -> None:
        """One by one, or group by group."""
        ids, queue = options["job_id"], options["queue"]
        if bool(ids) == bool(queue):
            raise CommandError("Name either jobs by their ids, or a queue with --queue.")
        if ids and any(options[name] is not None for name in ("kind", "code", "most")):
            raise CommandError("--kind, --code and --most choose among the jobs of a --queue.")
        if ids:
            for one in ids:
                self._retry(one, who)
        else:
            self._retry_groups(get_queue(queue).name, who, options)

    def _retry(self, one: Any, who: Who) -> None:
        try:
            job = audited.retry(one, **who)
        except Job.DoesNotExist:
            newest = Job.objects.filter(state=State.FAILED).order_by("-id").values_list("id", flat=True)[:5]
            known = ", ".join(found.hex for found in newest) or "none"
            raise CommandError(f"There is no job {one.hex}. The newest that failed: {known}.") from None
        self.say(f"{job.kind} {job.id.hex} waits again.")

    def _retry_groups(self, queue: str, who: Who, options: dict[str, Any]) -> None:
        groups = [
            group
            for group in failures.groups(queue)
            if options["kind"] in (None, group.kind) and options["code"] in (None, group.code)
        ]
        for group in groups:
            again = audited.retry_group(group.queue, group.kind, group.code, most=options["most"], **who)
            self.say(f"{again} of {group.kind} that failed with {group.code or 'no code'} wait again.")
        if not groups:
            self.say(f"Nothing of {queue} has failed in that way.")
