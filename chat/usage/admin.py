"""Usage in the admin: there to be read."""

from django.contrib import admin

from chat.admin import ByCompanion
from queueing.api.admin import LargeTable, ReadOnly

from .models import Day, Usage


@admin.register(Usage)
class UsageAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    fields = [field.name for field in Usage._meta.fields]
    list_display = [
        "created_at",
        "model",
        "kind",
        "companion",
        "input_tokens",
        "output_tokens",
        "cost",
        "ended",
    ]
    list_filter = ["created_at", ByCompanion, "estimated"]
    search_fields = ["=job_id", "=thread_id", "=owner"]
    search_help_text = "The id of a job or thread, or an owner, whole"


@admin.register(Day)
class DayAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    fields = [field.name for field in Day._meta.fields]
    list_display = ["day", "owner", "calls", "input_tokens", "output_tokens", "cost", "reserved_tokens"]
    list_filter = ["day"]
    search_fields = ["=owner"]
    search_help_text = "An owner, whole"
    ordering = ["-day"]
