"""The pages to sign up, in and out, for the password and the address. Plain forms, without scripts.

The views are those of django-allauth, with the forms, templates and limits of the site.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account import views
from allauth.account.internal.flows.signup import complete_signup
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from chat import limits
from chat.accounts import texts
from chat.accounts.access.tries import devices, tries
from chat.accounts.signing_in import signing_up
from chat.limits.addresses import client_address

from .forms import SignUpCodeForm
from .sign_up import PendingSignUp

View = Callable[..., HttpResponse]


def sends_mail() -> bool:
    """Return whether this site can send e-mail."""
    return bool(settings.SENDS_MAIL)


def counted(view: View) -> View:
    """Count each submitted form of a view that sends an e-mail or creates an account, for the network."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            limits.check("login", client_address(request))
        return view(request, *args, **kwargs)

    return checked


def needs_mail(view: View) -> View:
    """Answer 404 where no e-mail can be sent."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not sends_mail():
            raise Http404
        return view(request, *args, **kwargs)

    return checked


class SignUp(views.SignupView):
    """The page to create an account. The account takes over the visitor's data."""

    template_name_signup_closed = "accounts/sign_up_closed.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        signing_up.remember(request)
        if PendingSignUp.resume(request) and request.method == "GET" and "again" not in request.GET:
            return redirect("sign-up-code")
        return super().dispatch(request, *args, **kwargs)

    def closed(self) -> HttpResponse:
        context = {"why_closed": signing_up.why_closed()}
        return render(self.request, self.template_name_signup_closed, context)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SignUpCode(FormView):
    """The page for the code of the mail, after which the account exists."""

    template_name = "accounts/code.html"
    form_class = SignUpCodeForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        pending = PendingSignUp.resume(request)
        if pending is None:
            return redirect("account_signup")
        self._pending = pending
        return super().dispatch(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"code": self._pending.code}

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"email": self._pending.email, "is_sign_up": True}

    def form_valid(self, form: SignUpCodeForm) -> HttpResponse:
        user = self._pending.finish()
        if user is None:
            messages.error(self.request, texts.SIGN_UP_AGAIN)
            return redirect("account_signup")
        return complete_signup(self.request, user=user, redirect_url=self._pending.target or None)

    def form_invalid(self, form: SignUpCodeForm) -> HttpResponse:
        if self._pending.record_invalid_attempt():
            return super().form_invalid(form)
        messages.error(self.request, texts.TOO_MANY_CODES)
        return redirect("account_signup")


class NewPassword(views.PasswordResetFromKeyView):
    """The page behind the reset link, to choose a new password. All devices are signed out."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        attempt = tries.begin("reset_link")
        response = super().dispatch(request, *args, **kwargs)
        if getattr(self, "reset_user", True) is None:
            attempt.failed()
        else:
            attempt.succeeded()
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        devices.remember(self.request, self.reset_user)
        return super().form_valid(form)
