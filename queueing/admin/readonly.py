"""Base classes for admin pages that are read-only, and that stay fast with millions of rows."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse

from . import texts

#: The maximum number of rows that are counted and paginated, and the newest rows that filters look at.
MAX_COUNTED = NEWEST = 10_000
#: What the address of a list has beside filters.
_NO_FILTERS = {"q", "p", "all", "e"}


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


def _after_newest(model: Any, number: int) -> Any:
    """Return the id of the row after the newest `number`, or None if there is none. Ids grow with time."""
    newest = model._default_manager.order_by("-pk").values_list("pk", flat=True)
    return newest[number : number + 1].first()


def among_newest(rows: QuerySet[Any], number: int) -> QuerySet[Any]:
    """Return the rows that are among the newest `number` of their table."""
    oldest = _after_newest(rows.model, number)
    return rows if oldest is None else rows.filter(pk__gt=oldest)


class NewestRows(ChangeList):
    """A list whose filters look only at the newest rows: most of them have no index."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found = super().get_queryset(request, exclude_parameters)
        if self.query or not self.has_active_filters or not self.model_admin.newest:
            return found
        return among_newest(found, self.model_admin.newest)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Return the order of the list. An address cannot ask for another."""
        return [*self.model_admin.get_ordering(request)]


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
    """A mix-in for a `ModelAdmin` whose table may have millions of rows, and whose ids grow with time.

    Its list has one order, the newest first, and filters look only at the newest rows. A search finds the
    rows in which one of `search_fields` is the text: each of these needs an index.
    """

    newest: int | None = NEWEST
    """The rows that filters look at; None if all filters have an index."""
    ordering: Any = ("-pk",)
    sortable_by: Any = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # facets count the rows of each filter
    list_per_page = 50

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return NewestRows

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say below the title which rows a filter looks at, if these are not all."""
        filtered = set(request.GET) - _NO_FILTERS
        if filtered and self.newest and _after_newest(self.model, self.newest) is not None:  # type: ignore[attr-defined]
            extra_context = {"subtitle": texts.filtered(self.newest)} | (extra_context or {})
        answer: HttpResponse = super().changelist_view(request, extra_context)  # type: ignore[misc]
        return answer

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Find rows by equality, one field after the other. Django's search by `=` ignores case: no index."""
        if not (term := search_term.strip()):
            return queryset, False
        found = Q(pk__in=[])
        for field in self.search_fields:  # type: ignore[attr-defined]
            matches = Q(**{field.removeprefix("="): term})
            with suppress(ValidationError):  # the text is no such value, for example no id
                # Only fields that have the text are combined: a database may use no index for "or".
                found = found | matches if queryset.order_by().filter(matches).exists() else found
        return queryset.filter(found), False

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
