"""Conversations in the admin: staff can find and delete them, not edit them, and few can read them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from queueing.api.admin import LargeTable, ReadOnly

from .accounts.access.permissions import may_read
from .companions.admin_filter import CompanionFilter
from .conversations import threads
from .models import Message, Thread


class MessageInline(ReadOnly, admin.TabularInline):
    model = Message
    extra = 0
    can_delete = False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "role", "created_at", "job_id"] + ["content"] * may_read(request)


class Erasing(ReadOnly, LargeTable, admin.ModelAdmin):
    """A read-only list. Deleting a row also deletes what its jobs store, as when its owner deletes it."""

    def erase(self, row: Any) -> None:
        """Delete one row."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.erase(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.erase(row)


@admin.register(Thread)
class ThreadAdmin(Erasing):
    list_filter = [CompanionFilter, "updated_at"]
    search_fields = ["=id", "=owner"]
    search_help_text = "A complete id or owner"
    inlines = [MessageInline]

    def erase(self, row: Thread) -> None:
        threads.delete_thread(owner=row.owner, thread_id=row.pk)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["id", "companion", "created_at", "updated_at", *_title(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "owner", "companion", "created_at", "updated_at", *_title(request)]


def _title(request: HttpRequest) -> list[str]:
    """Return the title column for those who may read messages: a title is the beginning of one."""
    return ["title"] if may_read(request) else []


@admin.register(Message)
class MessageAdmin(Erasing):
    list_display = ["id", "role", "thread_id", "job_id", "created_at"]
    list_filter = ["role", "created_at"]
    search_fields = ["=id", "=job_id", "=thread__id"]
    search_help_text = "The complete id of a message, its job or its thread"

    def erase(self, row: Message) -> None:
        threads.delete_message(row)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["id", "thread", "role", "created_at", "job_id"] + ["content"] * may_read(request)
