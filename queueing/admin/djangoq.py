"""Django-Q2's own admin pages: fast with a million rows, and no way to run functions that are not listed."""

import ast
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success
from django_q.tasks import async_task

from queueing.conf import get_conf
from queueing.record.django_q_tasks import may_run

from . import texts
from .actions import may_operate
from .readonly import LargeTable, ReadOnly

#: Keywords that Django-Q2 takes for itself, and that name functions or where they run.
_OPTIONS = {"q_options", "hook", "chain", "sync", "broker", "cluster", "broker_name"}


@admin.action(description="Run selected tasks again", permissions=["operate"])
def run_again(model_admin: Any, request: HttpRequest, queryset: Any) -> None:
    """Submit the tasks once more. It replaces Django-Q2's action, which needs no permission."""
    for task in queryset:
        if not (may_run(task.func) and isinstance(task.args, tuple) and isinstance(task.kwargs, dict)):
            messages.error(request, texts.not_run_again(task.name))
            continue
        async_task(task.func, *task.args, hook=task.hook, group=task.group, **task.kwargs)
        if not task.success:
            task.delete()


class FinishedTasks(ReadOnly, LargeTable):
    """A mix-in for finished tasks. Without a form that saves, no hook runs in this process."""

    actions = [run_again]
    newest, ordering = None, ["-stopped", "-pk"]  # their ids are random
    list_filter = ["started"]
    search_fields = ["=name"]

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return may_operate(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field.name for field in obj._meta.fields] if obj else []


class SafeTaskAdmin(FinishedTasks, TaskAdmin):
    pass


class SafeFailAdmin(FinishedTasks, FailAdmin):
    pass


class SafeQueueAdmin(ReadOnly, LargeTable, QueueAdmin):
    list_filter: list[str] = []
    search_fields = ["=name"]


class ScheduleForm(forms.ModelForm):
    """A schedule whose function and hook are chosen from `QUEUEING["TASKS"]`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = [(name, name) for name in get_conf().tasks]
        for name, choices in (("func", listed), ("hook", [("", "–"), *listed])):
            if name in self.fields:  # there are none for staff who may only view
                field = self.fields[name]
                self.fields[name] = forms.ChoiceField(
                    choices=choices, required=field.required, label=field.label, help_text=texts.LISTED_ONLY
                )

    def clean_args(self) -> str | None:
        """Refuse what the scheduler cannot read: it would stop all schedules."""
        value = self.cleaned_data["args"]
        if value and _literal(value) is None:
            raise forms.ValidationError(texts.NOT_ARGUMENTS)
        return value

    def clean_kwargs(self) -> str | None:
        """Refuse options for Django-Q2 among the arguments: they name functions as well."""
        value = self.cleaned_data["kwargs"]
        # As in Django-Q2: a dict, or the keywords of a call.
        given = _literal(value or "{}") or _keywords(value)
        if not (isinstance(given, dict) and all(isinstance(name, str) for name in given)):
            raise forms.ValidationError(texts.NOT_ARGUMENTS)
        if used := sorted(_OPTIONS & set(given)):
            raise forms.ValidationError(texts.no_options(used))
        return value

    def clean_hook(self) -> str | None:
        return self.cleaned_data["hook"] or None


def _literal(text: str) -> Any:
    """Return the value of a Python literal, or None."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _keywords(text: str) -> dict[str | None, Any] | None:
    """Return the keywords of a call such as `a=1, b="x"`; None for other texts."""
    try:
        (call,) = ast.parse(f"f({text})").body
        return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.value.keywords}  # type: ignore[attr-defined]
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, AttributeError):
        return None


class SafeScheduleAdmin(ScheduleAdmin):
    form = ScheduleForm

    @admin.display(description="Last run")
    def get_last_run(self, obj: Schedule) -> str:
        """Return the task's name without a link: the viewer may not be allowed to open it."""
        return str(obj.task_name or "–")


for _model, _admin in (
    (Success, SafeTaskAdmin),
    (Failure, SafeFailAdmin),
    (OrmQ, SafeQueueAdmin),
    (Schedule, SafeScheduleAdmin),
):
    if admin.site.is_registered(_model):  # the queue in the database is registered only if it is used
        admin.site.unregister(_model)
        admin.site.register(_model, _admin)
