"""The audit log, and what operators have changed live."""

from collections.abc import Iterable

from django.contrib import admin

from queueing.conf import get_conf
from queueing.control import figures
from queueing.control.actions import all_labels, label_of
from queueing.models import AuditEntry, FailureNote, LimitOverride, Pause
from queueing.record.orphans import orphaned_queues, orphaned_queues_with_failures

from . import texts
from .readonly import FixedChoicesFilter, Undeletable


class QueueFilter(FixedChoicesFilter):
    """Filters by a queue of the settings, or by an orphaned queue."""

    title = parameter_name = "queue"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((name, name) for name in get_conf().queues)

    def removed(self) -> Iterable[tuple[str, str]]:
        names = {found.queue for found in orphaned_queues()} | set(orphaned_queues_with_failures())
        return ((name, name) for name in sorted(names))


class ActionFilter(FixedChoicesFilter):
    """Filters by an action of operators."""

    title = parameter_name = "action"

    def options(self) -> Iterable[tuple[str, str]]:
        return all_labels().items()


@admin.register(AuditEntry)
class AuditAdmin(Undeletable):
    list_display = ["at", "actor", "what", "queue", "target", "details", "note"]
    list_filter = [ActionFilter, QueueFilter]
    search_fields = ["=actor", "=job_id"]
    search_help_text = texts.AUDIT_SEARCH_HELP

    @admin.display(description="Action")
    def what(self, entry: AuditEntry) -> str:
        return label_of(entry.action)

    @admin.display(description="Subject", empty_value="–")
    def target(self, entry: AuditEntry) -> str:
        """Return the job's id, or the group of failures, worker or owner; empty if it is about the queue."""
        return entry.subject or (entry.job_id.hex if entry.job_id else "")

    @admin.display(description="Detail")
    def details(self, entry: AuditEntry) -> str:
        return figures.of_entry(entry.detail)


@admin.register(LimitOverride)
class OverrideAdmin(Undeletable):
    list_display = ["queue", "name", "value", "since"]


@admin.register(Pause)
class PauseAdmin(Undeletable):
    list_display = ["queue", "since"]


@admin.register(FailureNote)
class FailureNoteAdmin(Undeletable):
    list_display = ["queue", "kind", "code", "note", "actor", "at"]
