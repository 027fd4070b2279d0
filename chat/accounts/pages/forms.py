"""The forms of the account pages."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    PasswordResetForm,
    UserCreationForm,
)
from django.contrib.auth.models import User
from django.core.validators import EmailValidator
from django.utils import timezone

from chat.accounts import texts

_check_email = EmailValidator(texts.INVALID_EMAIL)


def normalized_name(name: str) -> str:
    """Return the name as it is stored: e-mail addresses in lower case."""
    name = name.strip()
    return name.lower() if "@" in name else name


class SignInForm(AuthenticationForm):
    """The form to sign in: name or e-mail address, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = texts.NAME_OR_EMAIL

    def clean_username(self) -> str:
        return normalized_name(self.cleaned_data["username"])


class SignUpForm(UserCreationForm):
    """The form to sign up: name or e-mail address, and password."""

    class Meta(BaseUserCreationForm.Meta):
        model = User
        labels = {"username": texts.NAME_OR_EMAIL}
        help_texts = {"username": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.EMAIL_HOST:
            self.fields["username"].help_text = texts.EMAIL_HELPS_RESET

    def clean_username(self) -> str:
        name = self.cleaned_data["username"] = normalized_name(self.cleaned_data["username"])
        if "@" in name:
            _check_email(name)
        return super().clean_username()

    def save(self, commit: bool = True) -> User:
        name = self.cleaned_data["username"]
        if "@" in name:
            self.instance.email = name
        return super().save(commit)


class ResetForm(PasswordResetForm):
    """The form to request a link that resets the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = texts.EMAIL

    def save(self, **options: Any) -> None:
        """Send the mail. Its link leads to `CLIENT_URL`: the `Host` header can be chosen by a stranger."""
        site = urlsplit(settings.CLIENT_URL)
        super().save(**options | {"domain_override": site.netloc, "use_https": site.scheme == "https"})


class TokenForm(forms.Form):
    """The form for a new API token."""

    name = forms.CharField(max_length=60, label=texts.TOKEN_NAME)
    scopes = forms.MultipleChoiceField(
        choices=texts.SCOPE_LABELS.items(),
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
        label=texts.TOKEN_SCOPES,
    )
    days = forms.ChoiceField(
        choices=texts.TOKEN_EXPIRY_CHOICES, initial="90", required=False, label=texts.TOKEN_EXPIRY
    )

    def values(self) -> dict[str, Any]:
        """Return the keyword arguments of `tokens.issue`."""
        days = self.cleaned_data["days"]
        return {
            "name": self.cleaned_data["name"],
            "scopes": self.cleaned_data["scopes"],
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
        }


class EraseForm(forms.Form):
    """The confirmation of erasing: the password of the account, or a checkbox for visitors without one."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if user.is_authenticated and user.has_usable_password():
            self.fields["password"] = forms.CharField(
                label=texts.YOUR_PASSWORD,
                strip=False,
                widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            )
        else:
            self.fields["confirmed"] = forms.BooleanField(label=texts.CONFIRM_ERASING, label_suffix="")

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(texts.WRONG_PASSWORD, code="password")
        return str(password)
