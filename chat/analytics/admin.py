"""The admin pages of events and of feedback. Comments are shown only with the permission to read messages."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat.accounts.access.permissions import may_read
from chat.companions.admin_filter import CompanionFilter
from queueing.api.admin import FixedChoicesFilter, LargeTable, ReadOnly, Undeletable

from .models import Event, Feedback
from .tracking.event_names import SERVER_EVENTS


class ByName(FixedChoicesFilter):
    """A filter by the names of the server's own events."""

    title = parameter_name = "name"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((name, name) for name in sorted(SERVER_EVENTS))


@admin.register(Event)
class EventAdmin(Undeletable):
    list_display = ["at", "name", "companion", "visitor", "properties"]
    list_filter = [ByName, CompanionFilter, "at"]


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_filter = ["up", "reason", CompanionFilter, "updated_at"]
    search_fields = ["=message__id"]
    search_help_text = "The complete id of an answer"

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["updated_at", "companion", "up", "reason", "message_id"] + ["comment"] * may_read(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = ["message_id", "companion", "up", "reason", "created_at", "updated_at"]
        return fields + ["comment"] * may_read(request)
