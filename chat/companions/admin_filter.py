"""The filter by companion of admin lists."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from queueing.api.admin import FixedChoicesFilter

from .registry import COMPANIONS, name_of
from .removed import removed_companions


class CompanionFilter(FixedChoicesFilter):
    """A filter with the existing companions, and with those that threads still name (P24)."""

    title = parameter_name = "companion"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((one.id, one.name) for one in COMPANIONS.values())

    def removed(self) -> Iterable[tuple[str, str]]:
        return ((name, name_of(name)) for name in removed_companions())


class ThreadCompanionFilter(CompanionFilter):
    """The same, for rows that belong to a thread."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(thread__companion=self.value()) if self.value() else queryset
