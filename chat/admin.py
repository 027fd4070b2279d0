"""Conversations in the admin: there to be found and deleted, not edited, and read by few."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from queueing.api.admin import FixedChoicesFilter, LargeTable, ReadOnly

from .companions.registry import COMPANIONS
from .models import Message, Thread


class ByCompanion(FixedChoicesFilter):
    """The companions there are."""

    title = parameter_name = "companion"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((one.id, one.name) for one in COMPANIONS.values())


def may_read(request: HttpRequest) -> bool:
    """Whether the user may see what people say."""
    return request.user.has_perm("chat.view_message_content")


class MessageInline(ReadOnly, admin.TabularInline):
    model = Message
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "role", "created_at", "job_id"] + ["content"] * may_read(request)


@admin.register(Thread)
class ThreadAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_filter = [ByCompanion, "updated_at"]
    search_fields = ["=id", "=owner"]
    search_help_text = "An id or an owner, whole"
    inlines = [MessageInline]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["id", "companion", "created_at", "updated_at", *_title(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "owner", "companion", "created_at", "updated_at", *_title(request)]


def _title(request: HttpRequest) -> list[str]:
    """A title is the beginning of what was said."""
    return ["title"] if may_read(request) else []


@admin.register(Message)
class MessageAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ["id", "role", "thread_id", "job_id", "created_at"]
    list_filter = ["role", "created_at"]
    search_fields = ["=id", "=job_id", "=thread__id"]
    search_help_text = "The id of a message, its job or its thread, whole"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "thread", "role", "created_at", "job_id"] + ["content"] * may_read(request)
