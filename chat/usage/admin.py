"""The admin pages of model calls and daily usage: read-only."""

from django.contrib import admin

from chat.companions.admin_filter import CompanionFilter
from queueing.api.admin import LargeTable, ReadOnly

from .models import DailyUsage, ModelCall


@admin.register(ModelCall)
class ModelCallAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    fields = [field.name for field in ModelCall._meta.fields]
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
    list_filter = ["created_at", CompanionFilter, "estimated"]
    search_fields = ["=job_id", "=thread_id", "=owner"]
    search_help_text = "The complete id of a job or thread, or a complete owner key"


@admin.register(DailyUsage)
class DailyUsageAdmin(ReadOnly, LargeTable, admin.ModelAdmin):
    fields = [field.name for field in DailyUsage._meta.fields]
    list_display = ["day", "owner", "calls", "input_tokens", "output_tokens", "cost", "reserved_tokens"]
    list_filter = ["day"]
    search_fields = ["=owner"]
    search_help_text = "A complete owner key"
