"""What people fill in."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, BaseUserCreationForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.validators import EmailValidator
from django.utils import timezone

from . import tokens

_is_email = EmailValidator("This looks like an e-mail address, but is none.")


def as_name(name: str) -> str:
    """The name as it is kept: an e-mail address is the same in capitals."""
    name = name.strip()
    return name.lower() if "@" in name else name


class SignInForm(AuthenticationForm):
    """Name or e-mail address, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Name or e-mail address"

    def clean_username(self) -> str:
        return as_name(self.cleaned_data["username"])


class SignUpForm(UserCreationForm):
    """A name, which may be an e-mail address, and a password."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        labels = {"username": "Name or e-mail address"}
        help_texts = {"username": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.EMAIL_HOST:
            self.fields["username"].help_text = "With an e-mail address you can replace a forgotten password."

    def clean_username(self) -> str:
        name = self.cleaned_data["username"] = as_name(self.cleaned_data["username"])
        if "@" in name:
            _is_email(name)
        return super().clean_username()

    def save(self, commit: bool = True) -> User:
        name = self.cleaned_data["username"]
        if "@" in name:
            self.instance.email = name
        return super().save(commit)


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=60, label="What it is for")
    scopes = forms.MultipleChoiceField(
        choices=tokens.SCOPES.items(), initial=["read"], widget=forms.CheckboxSelectMultiple, label="It may"
    )
    days = forms.ChoiceField(
        choices=[("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until I revoke it")],
        initial="90",
        required=False,
        label="It is valid for",
    )

    def values(self) -> dict[str, Any]:
        """Arguments of `tokens.issue`."""
        days = self.cleaned_data["days"]
        return {
            "name": self.cleaned_data["name"],
            "scopes": self.cleaned_data["scopes"],
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
        }


class EraseForm(forms.Form):
    """That everything is to go: with the password of the account, or a tick where there is none."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if user.is_authenticated and user.has_usable_password():
            self.fields["password"] = forms.CharField(
                label="Your password",
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            )
        else:
            self.fields["sure"] = forms.BooleanField(label="Yes, erase all of it")

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError("This is not your password.", code="password")
        return str(password)
