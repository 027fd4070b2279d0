"""Feedback in the admin; what was said with it is for those who may read what people say."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat.admin import ReadOnly, _may_read

from .models import Feedback


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, admin.ModelAdmin):
    list_filter = ["up", "reason", "companion", "updated_at"]
    search_fields = ["=message__id"]
    search_help_text = "The id of an answer, whole"
    show_full_result_count = False

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["updated_at", "companion", "up", "reason", "message_id"] + ["comment"] * _may_read(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = ["message_id", "companion", "up", "reason", "created_at", "updated_at"]
        return fields + ["comment"] * _may_read(request)
