"""Conversations in the admin: there to be found and deleted, not edited, and read by few."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from .models import Message, Thread


class ReadOnly:
    """Nothing is added or changed here; what was said stays as it was said."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)  # type: ignore[attr-defined]  # the admin class beside us

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _may_read(request: HttpRequest) -> bool:
    return request.user.has_perm("chat.view_message_content")


class MessageInline(ReadOnly, admin.TabularInline):
    model = Message
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "role", "created_at", "job_id"] + ["content"] * _may_read(request)


@admin.register(Thread)
class ThreadAdmin(ReadOnly, admin.ModelAdmin):
    list_filter = ["companion", "updated_at"]
    search_fields = ["=id", "=owner"]
    search_help_text = "An id or an owner, whole"
    inlines = [MessageInline]
    show_full_result_count = False

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["id", "companion", "created_at", "updated_at", *_title(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "owner", "companion", "created_at", "updated_at", *_title(request)]


def _title(request: HttpRequest) -> list[str]:
    """A title is the beginning of what was said."""
    return ["title"] if _may_read(request) else []


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ["id", "role", "thread_id", "job_id", "created_at"]
    list_filter = ["role", "created_at"]
    search_fields = ["=id", "=job_id", "=thread__id"]
    search_help_text = "The id of a message, its job or its thread, whole"
    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "thread", "role", "created_at", "job_id"] + ["content"] * _may_read(request)
