"""What people and code do with recurring jobs: store, pause, resume, run now, delete. All functions block."""

import secrets

from django.db import transaction
from django.utils import timezone

from queueing.errors import BadValue
from queueing.models import Job, RecurringJob

from . import history
from .definition import Definition, timing_of
from .ticking import submit_job
from .timing import Timing


def find(name: str, *, lock: bool = False) -> RecurringJob:
    """Return the recurring job of this name. Raise `BadValue` with the names that exist."""
    rows = RecurringJob.objects.select_for_update() if lock else RecurringJob.objects.all()
    if row := rows.filter(name=name).first():
        return row
    known = ", ".join(RecurringJob.objects.values_list("name", flat=True)[:20]) or "none"
    raise BadValue("recurring", f"there is no recurring job {name!r} (there are: {known})")


def store(definition: Definition, *, key: int | None = None, from_code: bool = False) -> RecurringJob:
    """Store a definition: as that of the row with this key, else of the row with its name, else as a new row.

    If its times change, ticks that are due but not handled are skipped, and the next tick is computed from
    now on. If they stay the same, so does the next tick: one that was missed is still due.
    """
    rows = RecurringJob.objects.select_for_update()
    with transaction.atomic():
        row = rows.filter(pk=key).first() if key else rows.filter(name=definition.name).first()
        if row is None:
            row = RecurringJob(**definition.values(), from_code=from_code)
            _start_from_now(row)
        else:
            _change(row, definition, from_code)
        row.save()
    return row


def _change(row: RecurringJob, definition: Definition, from_code: bool) -> None:
    reason, before = history.CHANGED, timing_of(row)
    if returns := row.left_code and from_code:
        reason, row.left_code, row.paused = history.PAUSED, False, False
    new = Timing(cron=definition.cron, every=definition.every, time_zone=definition.time_zone)
    if (new != before or returns) and row.next_at:
        history.add_skipped(row, reason, row.next_at, timezone.now())
    for field, value in definition.values().items():
        setattr(row, field, value)
    row.from_code = from_code
    if new != before or returns:
        _start_from_now(row)


def _start_from_now(row: RecurringJob) -> None:
    row.next_at = row.look_at = timing_of(row).next_after(timezone.now())
    row.refusal = ""


def pause(name: str, *, left_code: bool = False) -> RecurringJob:
    """Pause a recurring job: its ticks are skipped. Jobs that were submitted run. Raise `BadValue`."""
    with transaction.atomic():
        row = find(name, lock=True)
        row.left_code = left_code and not row.paused
        row.paused = True
        row.save(update_fields=["paused", "left_code"])
    return row


def resume(name: str) -> RecurringJob:
    """Resume a recurring job from its next tick on. Raise `BadValue`.

    One that left the code belongs to the admin from then on, so that the next start does not pause it again.
    """
    with transaction.atomic():
        row = find(name, lock=True)
        if row.paused:
            if row.next_at:
                history.add_skipped(row, history.PAUSED, row.next_at, timezone.now())
            row.from_code = row.from_code and not row.left_code
            row.paused = row.left_code = False
            _start_from_now(row)
            row.save()
    return row


def run_now(name: str) -> Job:
    """Submit a job of a recurring job now, also if it is paused; its next tick stays. Raise as `submit`."""
    with transaction.atomic():
        row = find(name, lock=True)
        now = timezone.now()
        job = submit_job(row, f"now-{secrets.token_hex(6)}", now, after=[])
        history.add(row, history.RUN_NOW, now, job_id=job.id)
        row.save(update_fields=["last_job"])
    return job


def delete(name: str) -> None:
    """Delete a recurring job with its history; its jobs stay. Raise `BadValue` while the code declares it."""
    with transaction.atomic():
        row = find(name, lock=True)
        if row.from_code and not row.left_code:
            raise BadValue("recurring", f"{name!r} is declared in the code: remove it there, or pause it")
        row.delete()
