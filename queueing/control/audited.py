"""The moves of `verbs.py` for operators: each writes one `AuditEntry`.

The entry is written in the transaction of the move: a move that fails leaves none. Moves of many jobs work in
batches, and the entry counts the jobs of each batch, so it is correct even after an interruption.
Every function takes `actor` and `note` (the reason), and raises `ImproperlyConfigured` for an unknown queue.
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
from queueing.limits import live_limits, weights
from queueing.models import AuditEntry, FailureNote, Job, LimitOverride
from queueing.monitoring import failures
from queueing.states import FINISHED
from queueing.values.ids import first_id_at

from . import verbs

#: Jobs in one transaction.
_BATCH_SIZE = 500


class AuditFields(TypedDict, total=False):
    """The operator, and the reason, of an audit entry."""

    actor: str
    note: str


@contextmanager
def _audited(action: str, queue: str, who: AuditFields, **fields: Any) -> Iterator[AuditEntry]:
    """Open the transaction of a move and its entry."""
    with transaction.atomic():
        entry = AuditEntry(action=action, queue=get_queue(queue).name, **fields, **who)
        yield entry
        entry.save()


def pause(queue: str, **who: Unpack[AuditFields]) -> None:
    """Pause a queue."""
    with _audited("pause", queue, who):
        verbs.pause(queue)


def resume(queue: str, **who: Unpack[AuditFields]) -> None:
    """Resume a queue."""
    with _audited("resume", queue, who):
        verbs.resume(queue)


def quiet_worker(worker: str, **who: Unpack[AuditFields]) -> None:
    """Let a worker claim no jobs; active ones finish. Raise `BadValue` if it does not run."""
    _to_worker("quiet_worker", worker, True, who)


def resume_worker(worker: str, **who: Unpack[AuditFields]) -> None:
    """Let a quiet worker claim jobs again. Raise `BadValue` if it does not run."""
    _to_worker("resume_worker", worker, False, who)


def _to_worker(action: str, worker: str, is_quiet: bool, who: AuditFields) -> None:
    with transaction.atomic():
        AuditEntry.objects.create(action=action, subject=worker, **who)
        verbs.set_quiet(worker, is_quiet)


def set_limits(queue: str, *, actor: str, note: str = "", **limits: Any) -> None:
    """Change limits of a queue, immediately and for all workers; other limits stay unchanged.

    `concurrency`, `global_concurrency` and `owner_concurrency` are numbers (0 means no limit for the latter
    two), `limiter` is (starts, seconds), or None for no limit. Raise `BadValue`.
    """
    wanted = live_limits.validated(limits)
    with _audited("set_limits", queue, {"actor": actor, "note": note}) as entry:
        before = live_limits.effective(queue)
        for name, value in wanted.items():
            LimitOverride.objects.update_or_create(queue=queue, name=name, defaults={"value": value})
        entry.detail = _changes(wanted, before)
        transaction.on_commit(lambda: verbs.sync_limits(queue))


def clear_limits(queue: str, **who: Unpack[AuditFields]) -> None:
    """Reset a queue to the limits of the settings."""
    with _audited("clear_limits", queue, who) as entry:
        before, settings = live_limits.effective(queue), get_queue(queue)
        names = LimitOverride.objects.filter(queue=queue).values_list("name", flat=True)
        entry.detail = _changes({name: _as_value(getattr(settings, name)) for name in names}, before)
        LimitOverride.objects.filter(queue=queue).delete()
        transaction.on_commit(lambda: verbs.sync_limits(queue))


def _changes(wanted: dict[str, Any], before: Any) -> dict[str, Any]:
    return {"before": {name: _as_value(getattr(before, name)) for name in wanted}, "after": wanted}


def _as_value(limit: Any) -> Any:
    """Return a limit as the database stores it."""
    return [limit.max, limit.duration] if hasattr(limit, "duration") else limit


def set_weight(owner: str, weight: int, *, is_share: bool = False, **who: Unpack[AuditFields]) -> None:
    """Give an owner, or a share, this many turns in line for one of others. Raise `BadValue`."""
    with transaction.atomic():
        detail = {
            "before": {"weight": weights.get_weight(owner, share=is_share)},
            "after": {"weight": weight},
        }
        weights.set_weight(owner, weight, share=is_share)
        AuditEntry.objects.create(action="set_weight", subject=owner, detail=detail, **who)


def cancel(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Cancel an unfinished job. This and the next three raise what the move in `verbs.py` raises."""
    return _to_job("cancel", verbs.cancel, job_id, who)


def retry(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Run a failed or cancelled job again."""
    return _to_job("retry", verbs.retry, job_id, who)


def promote(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Make a delayed job waiting."""
    return _to_job("promote", verbs.promote, job_id, who)


def remove(job_id: UUID | str, **who: Unpack[AuditFields]) -> Job:
    """Delete a job that is not active, with its history, and return it as it was."""
    return _to_job("remove", verbs.remove, job_id, who)


def _to_job(action: str, verb: Callable[[UUID | str], Any], job_id: UUID | str, who: AuditFields) -> Job:
    with transaction.atomic():
        job = Job.objects.get(id=job_id)
        moved = verb(job_id)
        AuditEntry.objects.create(action=action, queue=job.queue, job_id=job.id, **who)
    return moved or job


def drain(queue: str, **who: Unpack[AuditFields]) -> int:
    """Cancel all waiting and delayed jobs, and return their number."""
    return _in_batches("drain", queue, who, lambda: verbs.drain_some(queue, _BATCH_SIZE))


def promote_all(queue: str, **who: Unpack[AuditFields]) -> int:
    """Make all delayed jobs waiting, except those that wait for other jobs, and return their number."""
    return _in_batches("promote_all", queue, who, lambda: verbs.promote_some(queue, _BATCH_SIZE))


def clean(queue: str, *, state: str, older_than: timedelta, actor: str, note: str = "") -> int:
    """Delete finished jobs of one state and a minimum age, and return their number. Raise `BadValue`."""
    if state not in FINISHED:
        raise BadValue(
            "state", f"only finished jobs can be removed ({', '.join(sorted(FINISHED))}), not {state!r} ones"
        )
    before = timezone.now() - older_than
    rows = Job.objects.filter(queue=queue, state=state, finished_at__lt=before, id__lt=first_id_at(before))
    after = UUID(int=0)

    def some() -> int:
        nonlocal after  # each batch starts where the previous one ended
        ids = list(rows.filter(id__gt=after).order_by("id").values_list("id", flat=True)[:_BATCH_SIZE])
        after = ids[-1] if ids else after
        return verbs.remove_all(ids)

    detail = {"state": str(state), "before": before.isoformat()}
    return _in_batches("clean", queue, {"actor": actor, "note": note}, some, detail=detail)


def retry_group(
    queue: str, kind: str, code: str, *, most: int | None = None, **who: Unpack[AuditFields]
) -> int:
    """Run a group of failed jobs again, the oldest first, at most `most`, and return their number."""
    ids = islice(failures.ids_of(queue, kind, code), most)

    def some() -> int:
        while batch := list(islice(ids, _BATCH_SIZE)):
            if done := sum(map(_retried, batch)):
                return done  # otherwise others have retried all of this batch
        return 0

    return _in_batches("retry_group", queue, who, some, subject=f"{kind} {code}")


def _retried(job_id: UUID) -> bool:
    try:
        verbs.retry(job_id)
    except (WrongState, Job.DoesNotExist):
        return False  # retried or removed by another person in the meantime
    return True


def note_group(queue: str, kind: str, code: str, text: str, **who: Unpack[AuditFields]) -> None:
    """Replace the note on a group of failures; an empty text removes it."""
    with _audited("note_group", queue, who, subject=f"{kind} {code}") as entry:
        group = {"queue": queue, "kind": kind, "code": code}
        FailureNote.objects.filter(**group).delete()
        if text.strip():
            FailureNote.objects.create(**group, note=text.strip(), actor=who.get("actor", ""))
        entry.detail = {"text": text.strip()}


def _in_batches(action: str, queue: str, who: AuditFields, some: Callable[[], int], **fields: Any) -> int:
    """Run `some` until it returns 0, and return the sum of its numbers."""
    fields = {"detail": {}} | fields
    entry = AuditEntry.objects.create(action=action, queue=get_queue(queue).name, **fields, **who)
    total, more = 0, True
    while more:
        with transaction.atomic():
            done = some()
            total += done
            more = done > 0
            entry.detail = entry.detail | {"jobs": total}
            entry.save(update_fields=["detail"])
    return total
