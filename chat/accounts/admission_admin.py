"""Blocks and invitations in the admin."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chat.errors import InvalidInput
from chat.limits.addresses import client_address
from queueing.api.admin import LargeTable

from . import blocking, texts
from .models import Block, Invitation
from .signing_in import signing_up


class BlockForm(forms.ModelForm):
    """The form for a new block."""

    who = forms.CharField(
        max_length=254,
        help_text="A name, a verified e-mail address, an owner key (u:12, s:…), an address or a network",
    )
    days = forms.FloatField(
        required=False, help_text="The days after which it ends. Empty: when it is lifted"
    )
    field_order = ["who", "reason", "days"]

    class Meta:
        model = Block
        fields = ["reason"]
        help_texts = {"reason": "A sentence that the blocked read"}

    def clean_who(self) -> str:
        who = str(self.cleaned_data["who"]).strip()
        try:
            blocking.target_of(who)
        except InvalidInput as exc:
            raise forms.ValidationError(exc.message) from exc
        return who

    def clean_days(self) -> float | None:
        days: float | None = self.cleaned_data["days"]
        if days is not None and not 0 < days <= 3650:
            raise forms.ValidationError(texts.BLOCK_DAYS)
        return days


@admin.register(Block)
class BlockAdmin(LargeTable, admin.ModelAdmin):
    """Blocks: they are added and lifted, and never changed."""

    list_display = ["__str__", "reason", "created_at", "created_by", "ends_at", "lifted_at", "lifted_by"]
    list_filter = ["created_at", ("lifted_at", admin.EmptyFieldListFilter)]
    search_fields = ["=owner", "=network"]
    search_help_text = "A complete owner key, or a network"
    actions = ["lift"]
    form = BlockForm

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field.name for field in Block._meta.fields] if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_readonly_fields(request, obj) or BlockForm.field_order

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"who": request.GET.get("who", "")}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Block, form: Any, change: bool) -> None:
        if change:
            return
        fields = form.cleaned_data
        made = blocking.block(
            fields["who"], reason=fields["reason"], days=fields["days"], actor=request.user.get_username()
        )
        obj.__dict__.update(made.__dict__)
        own = blocking.network_of(client_address(request))
        network = blocking.network_of(made.network)
        if own and network and own.version == network.version and own.subnet_of(network):  # type: ignore[arg-type]
            self.message_user(request, texts.BLOCK_OWN_NETWORK, messages.WARNING)

    @admin.action(description="Lift the selected blocks", permissions=["change"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Block]) -> None:
        lifted = sum(blocking.lift(row, actor=request.user.get_username()) for row in queryset)
        self.message_user(request, f"{lifted} blocks were lifted.")


class InvitationForm(forms.ModelForm):
    """The form for a new invitation."""

    class Meta:
        model = Invitation
        fields = ["note", "ends_at"]
        help_texts = {"note": "For whom it is; only operators read it"}


@admin.register(Invitation)
class InvitationAdmin(LargeTable, admin.ModelAdmin):
    """Invitations. The link is shown once; deleting one makes its link useless."""

    list_display = ["__str__", "note", "created_at", "created_by", "used_at", "used_by"]
    form = InvitationForm

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field.name for field in Invitation._meta.fields if field.name != "digest"] if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_readonly_fields(request, obj) or InvitationForm.Meta.fields

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"ends_at": timezone.now() + timedelta(days=7)}

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        if change:
            return
        made, path = signing_up.invite(note=obj.note, ends_at=obj.ends_at, actor=request.user.get_username())
        obj.__dict__.update(made.__dict__)
        site = settings.SITE_URL.rstrip("/") or request.build_absolute_uri("/").rstrip("/")
        self.message_user(request, f"Send this link to one person. It is not shown again: {site}{path}")
