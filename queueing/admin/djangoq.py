"""Django-Q2's own admin pages without their slow parts: counts of all rows, filters with all values."""

from typing import Any

from django.contrib import admin
from django_q.admin import FailAdmin, QueueAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Success

from .readonly import LargeTable


def _register_fast(model: Any, base: Any, list_filter: list[str]) -> None:
    if admin.site.is_registered(model):  # the queue in the database is registered only if it is used
        admin.site.unregister(model)
        admin.site.register(
            model,
            type(base.__name__, (LargeTable, base), {"list_filter": list_filter, "search_fields": ["=name"]}),
        )


_register_fast(Success, TaskAdmin, ["started"])
_register_fast(Failure, FailAdmin, ["started"])
_register_fast(OrmQ, QueueAdmin, [])
