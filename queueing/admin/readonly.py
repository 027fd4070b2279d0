"""Base classes for admin pages that are read-only, and that stay fast with millions of rows."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest

#: The maximum number of rows that are counted and paginated.
MAX_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """A paginator of the first rows: counting all rows of a large table takes seconds."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most `MAX_COUNTED`."""
        return int(self.object_list.order_by()[:MAX_COUNTED].count())


class FixedChoicesFilter(admin.SimpleListFilter):
    """A filter with fixed choices, so that Django need not scan the table for distinct values."""

    def options(self) -> Iterable[tuple[str, str]]:
        """Return pairs of a value and its label."""
        raise NotImplementedError

    def removed(self) -> Iterable[tuple[str, str]]:
        """Return such pairs of values that rows still have though they are no longer in the settings."""
        return ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = dict(self.removed()) | dict(self.options())
        if chosen := self.value():
            found.setdefault(chosen, chosen)  # the list says by what it is filtered
        return list(found.items())

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class ReadOnly:
    """A mix-in for a `ModelAdmin` or an inline whose rows cannot be added or changed."""

    fields: Any = None
    opts: Any

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return all fields of the model. Django's own asks for the read-only ones, which ask here (O9)."""
        return self.fields or [field.name for field in self.opts.fields if not field.auto_created]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LargeTable:
    """A mix-in for a `ModelAdmin` whose table may have millions of rows."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # facets count the rows of each filter
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow the filters of the list alone.

        Django also filters by every other field that an address names. A text that the user may not read
        could then be guessed letter by letter.
        """
        filters = {getattr(one, "parameter_name", one) for one in self.list_filter}  # type: ignore[attr-defined]
        if lookup.split("__")[0] not in filters:
            return False
        return bool(super().lookup_allowed(lookup, value, request))  # type: ignore[misc]


class Undeletable(ReadOnly, LargeTable, admin.ModelAdmin):
    """A read-only admin page whose rows cannot be deleted by hand; pruning deletes them."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
