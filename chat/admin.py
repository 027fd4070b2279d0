"""Conversations in the admin: staff can find and delete them, not edit them, and few can read them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from queueing.api.admin import LargeTable, ReadOnly

from .accounts.access.permissions import may_read
from .companions.admin_filter import CompanionFilter, ThreadCompanionFilter
from .conversations import threads
from .models import Message, Thread


class Erasing(ReadOnly, LargeTable, admin.ModelAdmin):
    """A read-only list. Deleting a row also deletes what its jobs store, as when its owner deletes it."""

    def erase(self, row: Any) -> None:
        """Delete one row."""
        raise NotImplementedError

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[Any, ...]:
        """Return what the confirmation lists: the rows alone, as thousands may be deleted with them."""
        name = self.opts.verbose_name_plural
        refused = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [str(row) for row in objs], {name: len(objs)}, refused, []

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

    def erase(self, row: Thread) -> None:
        threads.delete_thread(owner=row.owner, thread_id=row.pk)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["id", "companion", "created_at", "updated_at", *_title(request)]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        messages = ["messages"] * request.user.has_perm("chat.view_message")
        return ["id", "owner", "companion", "created_at", "updated_at", *_title(request), *messages]

    @admin.display
    def messages(self, thread: Thread) -> str:
        """Return a link to the thread's messages, which are listed in pages."""
        address = reverse("admin:chat_message_changelist")
        return format_html('<a href="{}?q={}">{}</a>', address, thread.pk, thread.messages.count())


def _title(request: HttpRequest) -> list[str]:
    """Return the title column for those who may read messages: a title is the beginning of one."""
    return ["title"] if may_read(request) else []


@admin.register(Message)
class MessageAdmin(Erasing):
    list_display = ["id", "role", "thread_id", "job_id", "created_at"]
    list_filter = ["role", ThreadCompanionFilter, "created_at"]
    search_fields = ["=id", "=job_id", "=thread__id"]
    search_help_text = "The complete id of a message, its job or its thread"

    def erase(self, row: Message) -> None:
        threads.delete_message(row)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Django shows a thread as a link to its page.
        thread = "thread" if request.user.has_perm("chat.view_thread") else "thread_id"
        return ["id", thread, "role", "created_at", "job_id"] + ["content"] * may_read(request)
