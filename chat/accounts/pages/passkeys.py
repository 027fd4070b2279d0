"""Passkeys: the pages on which they are created, used and removed. The views are those of django-allauth.

A passkey always asks for its PIN or biometrics. So it signs in alone, and counts as a second factor as well.
The answer of a passkey is counted before it is checked, and must come from a page of exactly this origin: by
the standard also subdomains, which may belong to others, may ask for the passkeys of a site.
"""

import struct
from collections.abc import Callable
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.core import context as current
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as webauthn_forms
from allauth.mfa.webauthn import views as webauthn_views
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.views.generic import FormView
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from chat.accounts import texts
from chat.accounts.access.tries import tries
from chat.accounts.signing_in import second_factor

from .browsers import name_of

#: The maximum number of passkeys of one user.
MAX_PASSKEYS = 20
#: Characters of an answer: five times as many as one with certificates has. The library's work for an answer
#: grows with the square of its length.
_MAX_ANSWER = 16_000
#: What the parsers of the library raise for an answer that no passkey gives.
_MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


class _AnswerField(forms.JSONField):
    """The answer of a passkey as JSON. JSON that is long or nested too deeply is wrong as well."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) > _MAX_ANSWER:
            raise forms.ValidationError(texts.WRONG_PASSKEY, code="wrong_passkey")
        try:
            return super().to_python(value)
        except RecursionError:
            raise forms.ValidationError(texts.WRONG_PASSKEY, code="wrong_passkey") from None


class _PasskeyForm(forms.Form):
    """A form with the answer of a passkey."""

    credential = _AnswerField()
    user: Any
    #: The class of the library that parses the answer.
    answer: Any = AuthenticationResponse

    def _checked(self, check: Callable[[], Any]) -> Any:
        """Return what `check` returns, which checks the answer. Raise `ValidationError` for a wrong one.

        Raise `LimitReached` after too many tries.
        """
        attempt = tries.begin("passkey", account=self.user.get_username() if self.user else "")
        try:
            self._check_origin(current.request)
            checked = check()
        except (forms.ValidationError, *_MALFORMED):
            attempt.failed()
            raise forms.ValidationError(texts.WRONG_PASSKEY, code="wrong_passkey") from None
        attempt.succeeded()
        return checked

    def _check_origin(self, request: HttpRequest) -> None:
        origins = (f"{request.scheme}://{request.get_host()}", settings.SITE_ORIGIN)
        client_data = self.answer.from_dict(self.cleaned_data["credential"]).response.client_data
        if client_data.origin not in origins or client_data.cross_origin:
            raise ValueError(client_data.origin)


class _UsedPasskey(_PasskeyForm):
    def clean_credential(self) -> Authenticator:
        """Return the passkey."""
        answer, passkey_of = self.cleaned_data["credential"], super().clean_credential
        return self._checked(lambda: _counting_on(passkey_of(), answer))


def _counting_on(passkey: Authenticator, answer: dict[str, Any]) -> Authenticator:
    """Return the passkey. Raise `ValueError` for the answer of what may be a copy of it."""
    counter = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    if not second_factor.counts_on(passkey, counter):
        raise ValueError(counter)
    return passkey


class SignInForm(_UsedPasskey, webauthn_forms.LoginWebAuthnForm):
    """The form to sign in with a passkey alone."""


class SecondStepForm(_UsedPasskey, webauthn_forms.AuthenticateWebAuthnForm):
    """The form for a passkey after the password."""


class ConfirmForm(_UsedPasskey, webauthn_forms.ReauthenticateWebAuthnForm):
    """The form for a passkey of a user who is signed in."""


class NewPasskeyForm(_PasskeyForm, webauthn_forms.SignupWebAuthnForm):
    """The form for a new passkey."""

    answer = RegistrationResponse
    name = forms.CharField(max_length=60, required=False, label=texts.PASSKEY_NAME)

    def clean(self) -> dict[str, Any]:
        """Check the new passkey."""
        mine = Authenticator.objects.filter(user=self.user, type=Authenticator.Type.WEBAUTHN)
        if mine.count() >= MAX_PASSKEYS:
            raise forms.ValidationError(texts.too_many_passkeys(MAX_PASSKEYS))
        if self.errors:
            return self.cleaned_data
        return dict(self._checked(super().clean))


class _Again:
    """A view that shows an error on a new page: a passkey answers each question once."""

    request: HttpRequest
    #: The name of the page with the form.
    page = ""

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        others = [errors[0] for name, errors in form.errors.items() if name != "credential"]
        messages.error(self.request, str(next(iter(others), texts.WRONG_PASSKEY)))
        target = get_next_redirect_url(self.request)
        query = f"?{urlencode({'next': target})}" if target else ""
        return HttpResponseRedirect(reverse(self.page) + query)


class SignIn(_Again, webauthn_views.LoginWebAuthnView):
    """Signing in with a passkey alone: the page asks for the question, then sends the answer."""

    form_class, page = SignInForm, "account_login"


class Confirm(_Again, webauthn_views.ReauthenticateWebAuthnView):
    """The page that asks a user who is signed in for a passkey."""

    form_class, page = ConfirmForm, "mfa_reauthenticate_webauthn"
    template_name = "accounts/passkey_confirm.html"


class NewPasskey(_Again, webauthn_views.AddWebAuthnView):
    """The page to create a passkey."""

    form_class, page = NewPasskeyForm, "mfa_add_webauthn"
    template_name = "accounts/passkey.html"

    def get_initial(self) -> dict[str, Any]:
        """Return the name of the browser as that of the passkey."""
        return {"name": name_of(self.request.headers.get("User-Agent", ""))}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """Return the context with the question for the browser: a passkey that needs no name to sign in."""
        question = auth.begin_registration(self.request.user, passwordless=True)
        return FormView.get_context_data(self, **context) | {"js_data": {"creation_options": question}}


class RemovePasskey(webauthn_views.RemoveWebAuthnView):
    """The page to remove a passkey."""

    template_name = "accounts/passkey_remove.html"
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        if get_adapter().can_delete_authenticator(self.object):
            return super().form_valid(form)
        form.add_error(None, texts.ERRORS["cannot_delete_authenticator"])
        return self.form_invalid(form)
