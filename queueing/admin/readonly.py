"""Pages to look at: nothing is added or changed on them, and none of them counts a million rows."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest

#: Rows that are counted; of more there are only so many pages.
COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Pages of the first rows: nobody leafs through more, and counting all takes seconds."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, or `COUNTED`."""
        return int(self.object_list.order_by()[:COUNTED].count())


class FixedChoicesFilter(admin.SimpleListFilter):
    """A filter by a column whose values are known, so that no million rows are asked which there are."""

    def options(self) -> Iterable[tuple[str, str]]:
        """Each value, and what it is called."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.options())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class ReadOnly:
    """For a `ModelAdmin` or an inline: what happened stays as it happened."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)  # type: ignore[attr-defined]  # the admin class beside us

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LargeTable:
    """For a `ModelAdmin` whose table may have millions of rows."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # which would count the rows of each filter
    list_per_page = 50


class Undeletable(ReadOnly, LargeTable, admin.ModelAdmin):
    """Neither is anything deleted here: it goes when its time has come."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
