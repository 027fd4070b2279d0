"""Jobs that their submitter delays, with a reason.

    submit(kind, args, owner=owner, delay=40.0, meta={"delayReason": "rate_limit"})

Clients see their wait with that reason, and their place among the owner's delayed jobs.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from queueing.models import Job
from queueing.states import State

#: The name in `meta`.
DELAY_REASON = "delayReason"


def is_delayed_by_submitter(job: Job) -> bool:
    """Return whether the row waits only for the delay that its submitter asked for."""
    return bool(
        job.state == State.DELAYED
        and not job.unfinished_parents
        and not job.run_count
        and job.meta.get(DELAY_REASON)
    )


def expected_waits(ids: Iterable[object]) -> dict[str, dict[str, Any]]:
    """Return the waits, with `place` and `of`, by job id: of those jobs that their submitter delayed."""
    owners = Job.objects.filter(id__in=ids).values("owner")
    # An owner has few requests, which the unique index on (owner, request_id) finds.
    rows = Job.objects.filter(owner__in=owners, request_id__gt="", state=State.DELAYED, run_count=0)
    delayed: dict[str, list[Job]] = defaultdict(list)
    for job in rows.filter(run_at__isnull=False).order_by("run_at", "id").only("owner", "meta", "run_at"):
        if job.meta.get(DELAY_REASON):
            delayed[job.owner].append(job)
    return {
        job.id.hex: _wait(job) | {"place": place, "of": len(jobs)}
        for jobs in delayed.values()
        for place, job in enumerate(jobs, 1)
    }


def _wait(job: Job) -> dict[str, Any]:
    left = (job.run_at - timezone.now()).total_seconds() if job.run_at else 0.0
    seconds = round(max(0.0, left), 1)
    return {"low": seconds, "high": seconds, "reason": job.meta[DELAY_REASON]}
