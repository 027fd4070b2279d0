"""Jobs that their submitter holds back for a while, and says why:

    submit(kind, args, owner=owner, delay=40.0, meta={"delayReason": "rate_limit"})

Their wait is told with that reason, and with their place among all that the owner has held back.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from queueing.models import Job
from queueing.states import State

#: The name in `meta`.
DELAY_REASON = "delayReason"


def is_held(job: Job) -> bool:
    """Whether nothing but its submitter's delay keeps it, as far as the row knows."""
    return bool(
        job.state == State.DELAYED
        and not job.unfinished_parents
        and not job.run_count
        and job.meta.get(DELAY_REASON)
    )


def waits(ids: Iterable[object]) -> dict[str, dict[str, Any]]:
    """Of those of the jobs (by id, 32 hex digits) that are held: the wait, with `place` and `of`."""
    owners = Job.objects.filter(id__in=ids).values("owner")
    # Their owners' requests are few, and found by the index that keeps each of them single.
    rows = Job.objects.filter(owner__in=owners, request_id__gt="", state=State.DELAYED, run_count=0)
    held: dict[str, list[Job]] = defaultdict(list)
    for job in rows.filter(run_at__isnull=False).order_by("run_at", "id").only("owner", "meta", "run_at"):
        if job.meta.get(DELAY_REASON):
            held[job.owner].append(job)
    return {
        job.id.hex: _wait(job) | {"place": place, "of": len(jobs)}
        for jobs in held.values()
        for place, job in enumerate(jobs, 1)
    }


def _wait(job: Job) -> dict[str, Any]:
    left = (job.run_at - timezone.now()).total_seconds() if job.run_at else 0.0
    seconds = round(max(0.0, left), 1)
    return {"low": seconds, "high": seconds, "reason": job.meta[DELAY_REASON]}
