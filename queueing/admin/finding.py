"""Finding jobs among millions. What no index answers is looked for among the newest only."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from queueing.ids import first_id_at
from queueing.kinds import all_kinds
from queueing.models import Job
from queueing.states import UNFINISHED, State, sql_condition

from .readonly import FixedChoicesFilter
from .records import ByQueue

#: Jobs that are looked through, the newest, where no time is chosen.
NEWEST = 50_000
#: Of an owner, as many are found.
_MOST = 1_000
_DAYS = {"1": "Last day", "7": "Last 7 days", "30": "Last 30 days"}

SEARCH_HELP = (
    f"An id or an owner of requests, whole; among the newest {NEWEST:,} also any owner, a request's id "
    "or an error's code"
)


class ByState(FixedChoicesFilter):
    """The states, in words that SQLite's partial indexes understand."""

    title = parameter_name = "state"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((state.value, state.value.capitalize()) for state in State)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in UNFINISHED:
            queryset = queryset.extra(where=[sql_condition(UNFINISHED)])  # noqa: S610 (the states are ours)
        return super().queryset(request, queryset)


class ByKind(FixedChoicesFilter):
    """The kinds that are registered."""

    title = parameter_name = "kind"

    def options(self) -> Iterable[tuple[str, str]]:
        return ((kind.name, kind.name) for kind in all_kinds())


class ByAge(admin.SimpleListFilter):
    """When it was submitted, which its id tells."""

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
        return queryset if _has_an_index(request.GET) else among_newest(queryset)


def _has_an_index(asked: Any) -> bool:
    """Whether all jobs can be looked through: a search sees to itself, two indexes to what is not done."""
    failed_of_one = asked.get("state") == State.FAILED and asked.get("queue")
    return bool(asked.get("q") or asked.get("state") in UNFINISHED or failed_of_one)


FILTERS = [ByState, ByQueue, ByKind, ByAge]


def among_newest(queryset: Any) -> Any:
    """Those of the queryset that are among the newest jobs of all."""
    oldest = Job.objects.order_by("-id").values_list("id", flat=True)[NEWEST : NEWEST + 1]
    return queryset.filter(id__gt=found) if (found := next(iter(oldest), None)) else queryset


def find(queryset: Any, term: str, *, in_errors: bool) -> Any:
    """The jobs that `term` names; with `in_errors` also those whose error has it in its sentence."""
    try:
        return queryset.filter(id=UUID(term))
    except ValueError:
        owners = queryset.filter(owner=term).exclude(request_id="")  # in the words of the unique index
    said = Q(request_id=term) | Q(error_code=term) | Q(owner=term)
    if in_errors:
        said |= Q(state=State.FAILED, error__icontains=term)
    ids = [*owners.values_list("id", flat=True)[:_MOST]]
    ids += among_newest(queryset).filter(said).values_list("id", flat=True)[:_MOST]
    return queryset.filter(id__in=set(ids))
