from django.contrib import admin
from django.http import HttpRequest

from .models import CareCount


@admin.register(CareCount)
class CareCountAdmin(admin.ModelAdmin):
    """The counts of help cards, read-only."""

    list_display = ("day", "companion", "level", "shown")
    list_filter = ("level", "companion")
    date_hierarchy = "day"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CareCount | None = None) -> bool:
        return False
