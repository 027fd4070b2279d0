"""Conversations in the admin: staff can find and delete them, not edit them, and few can read them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from queueing.api.admin import FixedChoicesFilter, LargeTable, ReadOnly

from .companions.registry import COMPANIONS
from .models import Message, Thread


class CompanionFilter(FixedChoicesFilter):
    """A filter with the existing companions."""

    title = parameter_name = "companion"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((one.id, one.name) for one in COMPANIONS.values())


def may_read(request: HttpRequest) -> bool:
    """Return whether the user may read messages."""
    return request.user.has_perm("chat.view_message_content")


class MessageInline(ReadOnly, admin.TabularInline):
    model = Message
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "role", "created_at", "job_id"] + ["content"] * may_read(request)


@admin.register(Thread)
class ThreadAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_filter = [CompanionFilter, "updated_at"]
    search_fields = ["=id", "=owner"]
    search_help_text = "A complete id or owner"
    inlines = [MessageInline]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["id", "companion", "created_at", "updated_at", *_title(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "owner", "companion", "created_at", "updated_at", *_title(request)]


def _title(request: HttpRequest) -> list[str]:
    """Return the title column for those who may read messages: a title is the beginning of one."""
    return ["title"] if may_read(request) else []


@admin.register(Message)
class MessageAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    list_display = ["id", "role", "thread_id", "job_id", "created_at"]
    list_filter = ["role", "created_at"]
    search_fields = ["=id", "=job_id", "=thread__id"]
    search_help_text = "The complete id of a message, its job or its thread"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "thread", "role", "created_at", "job_id"] + ["content"] * may_read(request)
