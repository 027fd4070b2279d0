"""The form of a recurring job. The same checks as for those that code declares name the wrong field."""

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings

from queueing.errors import BadValue
from queueing.kinds import all_kinds
from queueing.models import RecurringJob
from queueing.recurring.definition import Definition

from . import texts


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return sorted(available_timezones())


class RecurringForm(forms.ModelForm):
    """A recurring job that staff make or edit."""

    kind = forms.ChoiceField(help_text=texts.RECURRING_KIND)
    time_zone = forms.ChoiceField(initial=settings.TIME_ZONE, help_text=texts.RECURRING_ZONE)
    missed = forms.ChoiceField(choices=texts.RECURRING_MISSED, initial="one", label="Missed ticks")
    overlap = forms.ChoiceField(
        choices=texts.RECURRING_OVERLAP, initial="skip", label="Earlier job unfinished"
    )

    class Meta:
        model = RecurringJob
        fields = ["name", "cron", "every", "time_zone", "kind", "args", "owner", "missed", "grace", "overlap"]
        labels = {"every": "Every (seconds)", "grace": "Grace time (seconds)", "args": "Arguments"}
        help_texts = texts.RECURRING_HELP
        widgets = {
            "name": forms.TextInput(attrs={"class": "vTextField"}),
            "cron": forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false"}),
            "args": forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, known in (("kind", [kind.name for kind in all_kinds()]), ("time_zone", _zones())):
            if name in self.fields:  # there are none for staff who may only view
                stored = getattr(self.instance, name)
                choices = known if not stored or stored in known else [stored, *known]
                self.fields[name].choices = [(one, one) for one in choices]

    def clean_args(self) -> Any:
        return self.cleaned_data["args"] or {}

    def clean(self) -> Any:
        super().clean()
        if not self.errors:
            try:
                self.definition().check()
                self.definition().check_job()
            except BadValue as exc:
                field = exc.field if exc.field in self.fields else None
                self.add_error(field, f"{exc.message[:1].upper()}{exc.message[1:]}")
        return self.cleaned_data

    def definition(self) -> Definition:
        """Return what was entered."""
        return Definition(**{name: self.cleaned_data[name] for name in self.Meta.fields})
