"""What operators did, and what they changed that still holds."""

from collections.abc import Iterable

from django.contrib import admin

from queueing.conf import get_conf
from queueing.models import AuditEntry, FailureNote, LimitOverride, Pause

from .readonly import FixedChoicesFilter, Undeletable

#: operating.py's verbs.
_VERBS = (
    "pause", "resume", "drain", "promote_all", "clean", "set_limits", "clear_limits",
    "cancel", "retry", "promote", "remove", "retry_group", "note_group",
)  # fmt: skip


class ByQueue(FixedChoicesFilter):
    """The queues of the settings."""

    title = parameter_name = "queue"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((name, name) for name in get_conf().queues)


class ByAction(FixedChoicesFilter):
    """The verbs there are."""

    title = parameter_name = "action"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((verb, verb.replace("_", " ")) for verb in _VERBS)


@admin.register(AuditEntry)
class AuditAdmin(Undeletable):
    list_display = ["at", "actor", "action", "queue", "job_id", "subject", "detail", "note"]
    list_filter = [ByAction, ByQueue]
    search_fields = ["=actor", "=job_id"]
    search_help_text = "Who did it, or a job's id, whole"
    sortable_by: list[str] = []


@admin.register(LimitOverride)
class OverrideAdmin(Undeletable):
    list_display = ["queue", "name", "value", "since"]


@admin.register(Pause)
class PauseAdmin(Undeletable):
    list_display = ["queue", "since"]


@admin.register(FailureNote)
class FailureNoteAdmin(Undeletable):
    list_display = ["queue", "kind", "code", "note", "actor", "at"]
