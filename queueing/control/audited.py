"""What operators do, by name: each verb is one of control.py's, and leaves one `AuditEntry` behind.

The entry is written in the transaction of the deed: what failed leaves none. A verb over many jobs works
in batches, and its entry says how many are done, so that it is true even of one that was interrupted.
Every verb takes `actor` (who) and `note` (why). All raise `ImproperlyConfigured` for a queue there is not.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from queueing.conf import get_queue
from queueing.errors import BadValue, WrongState
from queueing.ids import first_id_at
from queueing.limits import live_limits
from queueing.models import AuditEntry, FailureNote, Job, LimitOverride
from queueing.monitoring import failures
from queueing.states import FINISHED

from . import verbs

_BATCH_SIZE = 500


class AuditFields(TypedDict, total=False):
    """The operator, and the reason, of an audit entry."""

    actor: str
    note: str


@contextmanager
def _deed(action: str, queue: str, who: AuditFields, **about: Any) -> Iterator[AuditEntry]:
    """The transaction of one deed and its entry."""
    with transaction.atomic():
        entry = AuditEntry(action=action, queue=get_queue(queue).name, **about, **who)
        yield entry
        entry.save()


def pause(queue: str, **who: Unpack[AuditFields]) -> None:
    """Start nothing more on the queue; what runs finishes."""
    with _deed("pause", queue, who):
        verbs.pause(queue)


def resume(queue: str, **who: Unpack[AuditFields]) -> None:
    """Let a paused queue go on."""
    with _deed("resume", queue, who):
        verbs.resume(queue)


def set_limits(queue: str, *, actor: str, note: str = "", **limits: Any) -> None:
    """Change limits of the queue, for all workers and at once; those not named stay.

    `concurrency`, `global_concurrency` and `owner_concurrency` are numbers (0 of the latter two is no cap),
    `limiter` is (starts, seconds), or None for none. Raises `BadValue`.
    """
    wanted = live_limits.validated(limits)
    with _deed("set_limits", queue, {"actor": actor, "note": note}) as entry:
        before = live_limits.effective(queue)
        for name, value in wanted.items():
            LimitOverride.objects.update_or_create(queue=queue, name=name, defaults={"value": value})
        entry.detail = _changes(wanted, before)
        transaction.on_commit(lambda: verbs.tell(queue))


def clear_limits(queue: str, **who: Unpack[AuditFields]) -> None:
    """Give the queue the limits of the settings again."""
    with _deed("clear_limits", queue, who) as entry:
        before, settings = live_limits.effective(queue), get_queue(queue)
        names = LimitOverride.objects.filter(queue=queue).values_list("name", flat=True)
        entry.detail = _changes({name: _as_value(getattr(settings, name)) for name in names}, before)
        LimitOverride.objects.filter(queue=queue).delete()
        transaction.on_commit(lambda: verbs.tell(queue))


def _changes(wanted: dict[str, Any], before: Any) -> dict[str, Any]:
    return {"before": {name: _as_value(getattr(before, name)) for name in wanted}, "after": wanted}


def _as_value(limit: Any) -> Any:
    """As it is kept on record."""
    return [limit.max, limit.duration] if hasattr(limit, "duration") else limit


def cancel(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """End an unfinished job. Raises as `control.cancel` does, as do the next three."""
    return _to_job("cancel", verbs.cancel, job_id, who)


def retry(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Run a failed or cancelled job anew."""
    return _to_job("retry", verbs.retry, job_id, who)


def promote(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Let a delayed job run now."""
    return _to_job("promote", verbs.promote, job_id, who)


def remove(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Delete a job that is not running, with its history; the job that was."""
    return _to_job("remove", verbs.remove, job_id, who)


def _to_job(action: str, verb: Callable[[UUID | str], Any], job_id: UUID | str, who: AuditFields) -> Job:
    with transaction.atomic():
        job = Job.objects.get(id=job_id)
        moved = verb(job_id)
        AuditEntry.objects.create(action=action, queue=job.queue, job_id=job.id, **who)
    return moved or job


def drain(queue: str, **who: Unpack[AuditFields]) -> int:
    """Cancel all that waits or is delayed; how many jobs."""
    return _in_batches("drain", queue, who, lambda: verbs.drain_some(queue, _BATCH_SIZE))


def promote_all(queue: str, **who: Unpack[AuditFields]) -> int:
    """Let all delayed jobs run now, but those that wait for other jobs; how many."""
    return _in_batches("promote_all", queue, who, lambda: verbs.promote_some(queue, _BATCH_SIZE))


def clean(queue: str, *, state: str, older_than: timedelta, actor: str, note: str = "") -> int:
    """Delete the queue's jobs that ended so (`completed`, `failed`, `cancelled`) so long ago; how many."""
    if state not in FINISHED:
        raise BadValue(
            "state", f"only what is over can be cleaned ({', '.join(sorted(FINISHED))}), not {state!r}"
        )
    before = timezone.now() - older_than
    rows = Job.objects.filter(queue=queue, state=state, finished_at__lt=before, id__lt=first_id_at(before))
    after = UUID(int=0)

    def some() -> int:
        nonlocal after  # what was looked through is not looked through again
        ids = list(rows.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:_BATCH_SIZE])
        after = ids[-1] if ids else after
        return verbs.remove_all(ids)

    detail = {"state": str(state), "before": before.isoformat()}
    return _in_batches("clean", queue, {"actor": actor, "note": note}, some, detail=detail)


def retry_group(
    queue: str, kind: str, code: str, *, most: int | None = None, **who: Unpack[AuditFields]
) -> int:
    """Run a group of failed jobs anew (failures.py), the oldest first, or `most` of them; how many."""
    ids = islice(failures.ids_of(queue, kind, code), most)

    def some() -> int:
        while batch := list(islice(ids, _BATCH_SIZE)):
            if done := sum(map(_retried, batch)):
                return done  # else others were quicker with all of these: on to the next
        return 0

    return _in_batches("retry_group", queue, who, some, subject=f"{kind} {code}")


def _retried(job_id: UUID) -> bool:
    try:
        verbs.retry(job_id)
    except (WrongState, Job.DoesNotExist):
        return False  # another operator was quicker, or its owner
    return True


def note_group(queue: str, kind: str, code: str, text: str, **who: Unpack[AuditFields]) -> None:
    """Say what is known of a group of failures; an empty text takes the note away."""
    with _deed("note_group", queue, who, subject=f"{kind} {code}") as entry:
        group = {"queue": queue, "kind": kind, "code": code}
        FailureNote.objects.filter(**group).delete()
        if text.strip():
            FailureNote.objects.create(**group, note=text.strip(), actor=who.get("actor", ""))
        entry.detail = {"text": text.strip()}


def _in_batches(action: str, queue: str, who: AuditFields, some: Callable[[], int], **about: Any) -> int:
    """Until a batch does nothing; the jobs done by all of them."""
    about = {"detail": {}} | about
    entry = AuditEntry.objects.create(action=action, queue=get_queue(queue).name, **about, **who)
    total, more = 0, True
    while more:
        with transaction.atomic():
            done = some()
            total += done
            more = done > 0
            entry.detail = entry.detail | {"jobs": total}
            entry.save(update_fields=["detail"])
    return total
