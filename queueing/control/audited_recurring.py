"""What operators do with recurring jobs. Each writes one `AuditEntry`, in the transaction of the action.

Every function takes `actor` and `note` (the reason), and raises `BadValue` naming what is wrong.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack

from django.db import transaction

from queueing.errors import BadSubmission, BadValue, Rejected
from queueing.kinds import find_kind
from queueing.models import AuditEntry, Job, RecurringJob
from queueing.recurring import verbs
from queueing.recurring.definition import Definition, definition_of

from .audited import AuditFields


@contextmanager
def _audited(action: str, name: str, who: AuditFields) -> Iterator[dict[str, Any]]:
    """Open the transaction of an action and its entry, and yield the entry's detail."""
    detail: dict[str, Any] = {}
    with transaction.atomic():
        deleted = RecurringJob.objects.filter(name=name).first()
        yield detail
        row = RecurringJob.objects.filter(name=name).first() or deleted
        kind = find_kind(row.kind) if row else None
        queue = kind.queue if kind else ""
        AuditEntry.objects.create(action=action, queue=queue, subject=name, detail=detail, **who)


def pause(recurring: str, **who: Unpack[AuditFields]) -> None:
    """Pause a recurring job."""
    with _audited("pause_recurring", recurring, who):
        verbs.pause(recurring)


def resume(recurring: str, **who: Unpack[AuditFields]) -> None:
    """Resume a recurring job from its next tick on."""
    with _audited("resume_recurring", recurring, who):
        verbs.resume(recurring)


def run_now(recurring: str, **who: Unpack[AuditFields]) -> Job:
    """Submit a job of a recurring job now."""
    try:
        with _audited("run_recurring", recurring, who):
            return verbs.run_now(recurring)
    except Rejected as exc:
        raise BadValue("recurring", exc.message) from None
    except BadSubmission as exc:
        raise BadValue(exc.field, exc.message) from None


def store(definition: Definition, *, key: int | None = None, **who: Unpack[AuditFields]) -> RecurringJob:
    """Add a recurring job, or change the one with this key. The entry does not name its arguments."""
    before = RecurringJob.objects.filter(pk=key).first() if key else None
    with _audited("change_recurring" if before else "add_recurring", definition.name, who) as detail:
        if before:
            detail["text"] = _changes(definition_of(before), definition)
        return verbs.store(definition, key=key)


def _changes(before: Definition, after: Definition) -> str:
    old, new = before.values(), after.values()
    changed = [name for name in new if old[name] != new[name]]
    return ", ".join(
        name if name == "args" else f"{name}: {old[name] or 'none'} → {new[name] or 'none'}"
        for name in changed
    )


def delete(recurring: str, **who: Unpack[AuditFields]) -> None:
    """Delete a recurring job with its history."""
    with _audited("delete_recurring", recurring, who):
        verbs.delete(recurring)
