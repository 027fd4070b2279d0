"""The search and the filters for jobs, fast among millions: without an index only the newest are searched."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from queueing.kinds import all_kinds
from queueing.models import JobTag
from queueing.states import UNFINISHED, State, sql_condition
from queueing.values.ids import first_id_at

from .readonly import FixedChoicesFilter, among_newest
from .records import QueueFilter

#: The number of newest jobs that are searched without an index.
NEWEST = 50_000
#: The maximum number of results by owner, and by other texts.
_MAX_RESULTS = 1_000
_DAYS = {"1": "Last day", "7": "Last 7 days", "30": "Last 30 days"}


class StateFilter(FixedChoicesFilter):
    """Filters by state, with a condition that SQLite's partial indexes match."""

    title = parameter_name = "state"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((state.value, state.value.capitalize()) for state in State)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in UNFINISHED:
            queryset = queryset.extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the states are ours)
        return super().queryset(request, queryset)


class KindFilter(FixedChoicesFilter):
    """Filters by a registered kind."""

    title = parameter_name = "kind"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((kind.name, kind.name) for kind in all_kinds())


class AgeFilter(admin.SimpleListFilter):
    """Filters by the time of submission, which the id contains."""

    title, parameter_name = "submitted", "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(_DAYS.items())

    def choices(self, changelist: Any) -> Any:
        newest, *others = super().choices(changelist)
        return [newest | {"display": f"Newest {NEWEST:,}"}, *others]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in _DAYS:
            since = timezone.now() - timedelta(days=int(self.value() or 1))
            return queryset.filter(id__gte=first_id_at(since))
        return queryset if _has_index(request.GET) else among_newest(queryset, NEWEST)


def _has_index(query: Any) -> bool:
    """Return whether an index finds the jobs: a search, an unfinished state, or the failures of a queue."""
    failed_of_queue = query.get("state") == State.FAILED and query.get("queue")
    return bool(query.get("q") or query.get("state") in UNFINISHED or failed_of_queue)


FILTERS = [StateFilter, QueueFilter, KindFilter, AgeFilter]


def find(queryset: Any, term: str, *, in_errors: bool) -> Any:
    """Return the jobs that match `term`; with `in_errors` also those whose error message contains it."""
    try:
        return queryset.filter(id=UUID(term))
    except ValueError:
        owners = queryset.filter(owner=term).exclude(request_id="")  # the condition of the unique index
    matches = Q(request_id=term) | Q(error_code=term) | Q(owner=term)
    if in_errors:
        matches |= Q(state=State.FAILED, error__icontains=term)
    ids = [*owners.values_list("id", flat=True)[:_MAX_RESULTS]]
    tagged = JobTag.objects.filter(tag=term).order_by("-job")
    ids += tagged.values_list("job", flat=True)[:_MAX_RESULTS]
    ids += among_newest(queryset, NEWEST).filter(matches).values_list("id", flat=True)[:_MAX_RESULTS]
    return queryset.filter(id__in=set(ids))
