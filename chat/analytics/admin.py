"""What is counted, and feedback, whose words are for those who may read what people say."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat.admin import ByCompanion, may_read
from queueing.api.admin import FixedChoicesFilter, LargeTable, ReadOnly, Undeletable

from .event_names import OWN
from .models import Event, Feedback


class ByName(FixedChoicesFilter):
    """Our own events' names; those that clients make up are found by searching."""

    title = parameter_name = "name"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((name, name) for name in sorted(OWN))


@admin.register(Event)
class EventAdmin(Undeletable):
    list_display = ["at", "name", "companion", "visitor", "properties"]
    list_filter = [ByName, ByCompanion, "at"]
    ordering = ["-at"]
    sortable_by: list[str] = []


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_filter = ["up", "reason", ByCompanion, "updated_at"]
    search_fields = ["=message__id"]
    search_help_text = "The id of an answer, whole"

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["updated_at", "companion", "up", "reason", "message_id"] + ["comment"] * may_read(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = ["message_id", "companion", "up", "reason", "created_at", "updated_at"]
        return fields + ["comment"] * may_read(request)
