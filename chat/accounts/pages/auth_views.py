"""The pages to sign up, in and out, and to change or reset a password. Plain forms, without scripts."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.contrib.auth.views import RedirectURLMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from chat import limits
from chat.accounts import texts
from chat.accounts.access import devices, tries
from chat.accounts.sessions import record_session, sign_in
from chat.limits.addresses import client_address

from .forms import ResetForm, SignInForm, SignUpForm


def can_send_mail() -> bool:
    """Return whether a forgotten password can be reset by e-mail."""
    return bool(settings.EMAIL_HOST and settings.CLIENT_URL)


class _RateLimited:
    """A mix-in that counts each submitted form, before it is validated."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        limits.check("login", client_address(request))
        return super().post(request, *args, **kwargs)  # type: ignore[misc]


class SignIn(views.LoginView):
    """The page to sign in. The visitor's data is merged into the user's."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm
    next_page = reverse_lazy("index")
    extra_context = {"can_send_mail": can_send_mail}

    def form_valid(self, form: SignInForm) -> HttpResponse:
        sign_in(self.request, form.get_user())
        return redirect(self.get_success_url())


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SignUp(_RateLimited, RedirectURLMixin, FormView):
    """The page to create an account, which takes over the visitor's data."""

    template_name = "accounts/sign_up.html"
    form_class = SignUpForm
    next_page = reverse_lazy("index")

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(**context) | {"next": self.get_redirect_url()}

    def form_valid(self, form: SignUpForm) -> HttpResponse:
        user = form.save()
        user.backend = "django.contrib.auth.backends.ModelBackend"
        sign_in(self.request, user)
        return redirect(self.get_success_url())


class SignOut(views.LogoutView):
    """The address to sign out, by POST."""

    next_page = reverse_lazy("index")


class PasswordChange(views.PasswordChangeView):
    """The page to change the password. All other devices are signed out."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        record_session(self.request, self.request.user)  # Django has given it another key
        messages.success(self.request, texts.PASSWORD_CHANGED)
        return response


class _NeedsMail:
    """A mix-in that answers 404 where no e-mail can be sent."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not can_send_mail():
            raise Http404
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class PasswordReset(_NeedsMail, _RateLimited, views.PasswordResetView):
    """The page to request a reset link. Its response is the same for unknown addresses."""

    template_name = "accounts/reset.html"
    form_class = ResetForm
    email_template_name = "accounts/reset_mail.txt"
    subject_template_name = "accounts/reset_subject.txt"
    success_url = reverse_lazy("reset-sent")


class PasswordResetSent(_NeedsMail, views.PasswordResetDoneView):
    """The page after requesting a reset link."""

    template_name = "accounts/reset_sent.html"


class PasswordResetConfirm(_NeedsMail, views.PasswordResetConfirmView):
    """The page behind the reset link, to choose a new password. All devices are signed out."""

    template_name = "accounts/reset_confirm.html"
    success_url = reverse_lazy("sign-in")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        attempt = tries.begin("reset_link")
        response = super().dispatch(request, *args, **kwargs)
        if self.validlink:
            attempt.succeeded()
        else:
            attempt.failed()
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        devices.remember(self.request, self.user)
        messages.success(self.request, texts.PASSWORD_RESET)
        return response
