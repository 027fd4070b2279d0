"""The weights of owners in line: seen, and changed by an action with an audit entry."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from queueing.control.actions import ACTIONS
from queueing.control.operator_action import MAX_NOTE, Target
from queueing.errors import BadValue
from queueing.limits.weights import MAX_WEIGHT, check
from queueing.models import OwnerWeight

from .actions import may_operate
from .readonly import LargeTable

_ACTION = ACTIONS["set_weight"]


class WeightForm(forms.ModelForm):
    """A weight, with the reason for the audit log. Deleting it makes it 1 again."""

    weight = forms.IntegerField(min_value=2, max_value=MAX_WEIGHT, help_text=_ACTION.consequence)
    note = forms.CharField(required=False, max_length=MAX_NOTE, help_text="The reason, for the audit log.")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if {"name", "weight"} <= found.keys():
            try:
                check(found["name"], found["weight"])
            except BadValue as exc:
                self.add_error(exc.field, exc.message)
        return found

    class Meta:
        model = OwnerWeight
        fields = ("name", "is_share", "weight")


@admin.register(OwnerWeight)
class OwnerWeightAdmin(LargeTable, admin.ModelAdmin):
    form = WeightForm
    list_display = ["name", "is_share", "weight", "since"]
    search_fields = ["=name"]
    search_help_text = "The complete name of an owner or a share"
    actions = None  # deleting many rows would write one audit entry

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return True also for operators."""
        return bool(super().has_view_permission(request, obj)) or may_operate(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_operate(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_operate(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_operate(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "is_share") if obj else ()

    def save_model(self, request: HttpRequest, obj: OwnerWeight, form: Any, change: bool) -> None:
        """Perform the action instead of saving the row."""
        _set(request, obj, obj.weight, form.cleaned_data.get("note", ""))
        obj.pk = OwnerWeight.objects.get(name=obj.name, is_share=obj.is_share).pk

    def delete_model(self, request: HttpRequest, obj: OwnerWeight) -> None:
        _set(request, obj, 1, "")


def _set(request: HttpRequest, row: OwnerWeight, weight: int, note: str) -> None:
    target = Target(
        actor=request.user.get_username(), note=note, owner=row.name, is_share=row.is_share, weight=weight
    )
    _ACTION.apply(target)
