"""The forms of the account pages."""

from datetime import timedelta
from typing import Any

from allauth.account import forms as account_forms
from allauth.account.models import EmailAddress
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from chat.accounts import mail, texts
from chat.accounts.access.tries import tries
from chat.accounts.signing_in import second_factor, signing_up

from .sign_up import PendingSignUp


class _OurWords:
    """A form of django-allauth with the labels of the site, and without a second label inside each field."""

    fields: dict[str, forms.Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = texts.LABELS[name]
            field.widget.attrs.pop("placeholder", None)
        for name in {"login", "password", "oldpassword"} & set(self.fields):
            self.fields[name].help_text = ""


class SignInForm(_OurWords, account_forms.LoginForm):
    """The form to sign in: name or e-mail address, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].widget.attrs["autocomplete"] = "username"

    def user_credentials(self) -> dict[str, str]:
        """Return a name and a password. A verified address stands for the name of its account.

        One name is tried, so that known and unknown addresses take the same time.
        """
        name = self.cleaned_data["login"]
        if "@" in name:
            name = name.lower()
            owner = EmailAddress.objects.filter(email=name, verified=True).select_related("user").first()
            name = owner.user.get_username() if owner else name
        return {"username": name, "password": self.cleaned_data["password"]}


class SignUpForm(_OurWords, account_forms.SignupForm):
    """The form to sign up: an e-mail address, or a name where no e-mail can be sent, and a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.SENDS_MAIL:
            self.fields["username"].help_text = texts.NO_RESET

    def clean_email(self) -> str:
        """Return the address, if accounts may have it."""
        email = str(super().clean_email())
        if not signing_up.is_allowed_address(email):
            raise forms.ValidationError(texts.SIGN_UP_OTHER_DOMAIN, code="domain")
        return email

    def validate_unique_email(self, value: str) -> str:
        """Return the address. Only its mailbox learns whether it has an account."""
        return value

    def try_save(self, request: HttpRequest) -> tuple[Any, HttpResponse | None]:
        """Return the new user, or the page that asks for the code from the mail."""
        if not settings.SENDS_MAIL:
            return super().try_save(request)
        values, target = self.cleaned_data, get_next_redirect_url(request)
        PendingSignUp.start(request, values["email"], values["password1"], target or "")
        return None, redirect("sign-up-code")


class _CountedCode(_OurWords):
    """A form for a one-time code. Each code is counted before it is compared."""

    #: The name of the account to which the code belongs; empty for a new account.
    account = ""

    def clean_code(self) -> str:
        """Return the code. Raise `LimitReached` after too many."""
        attempt = tries.begin("code", account=self.account)
        try:
            code = super().clean_code()  # type: ignore[misc]
        except forms.ValidationError:
            attempt.failed()
            raise
        attempt.succeeded()
        return str(code)


class SignUpCodeForm(_CountedCode, account_forms.BaseConfirmCodeForm):
    """The form for the code that verifies the address of a new account."""


class AddressForm(_OurWords, account_forms.AddEmailForm):
    """The form for another address."""


class AddressCodeForm(_CountedCode, account_forms.ConfirmEmailVerificationCodeForm):
    """The form for the code that verifies another address."""


class ConfirmForm(_OurWords, account_forms.ReauthenticateForm):
    """The form that asks for the password once more."""


class PasswordForm(_OurWords, account_forms.ChangePasswordForm):
    """The form to change the password."""


class FirstPasswordForm(_OurWords, account_forms.SetPasswordForm):
    """The form for the first password of an account."""


class NewPasswordForm(_OurWords, account_forms.ResetPasswordKeyForm):
    """The form behind the link that resets the password."""


class ResetForm(_OurWords, account_forms.ResetPasswordForm):
    """The form to request a link that resets the password."""

    def clean_email(self) -> str:
        """Return the address, and find the account that has verified it. Others own nothing by it."""
        email = mail.sendable(self.cleaned_data["email"].lower())
        self.users = [user for user in EmailAddress.objects.get_users_for(email) if user.is_active]
        return email


class _CodeOnce(BaseAuthenticateForm):
    """A form for a code of the second factor. A code of an app works once."""

    def clean_code(self) -> str:
        code = str(super().clean_code())
        is_app = self.authenticator.type == Authenticator.Type.TOTP
        if is_app and not second_factor.use_once(self.authenticator, code):
            raise forms.ValidationError(texts.ERRORS["incorrect_code"], code="incorrect_code")
        return code


class _CodeOfUser(_CountedCode):
    """A counted code of the second factor of `user`."""

    user: Any

    @property
    def account(self) -> str:  # type: ignore[override]
        """Return the name of the account."""
        return str(self.user.get_username())


class CodeForm(_CodeOfUser, _CodeOnce, AuthenticateForm):
    """The form for the second factor when signing in."""


class CodeAgainForm(_CodeOfUser, _CodeOnce, ReauthenticateForm):
    """The form for the second factor of a user who is signed in."""


class SetUpAppForm(_CodeOfUser, ActivateTOTPForm):
    """The form for the first code of an app."""


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
