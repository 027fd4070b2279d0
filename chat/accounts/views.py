"""The pages of an account. Plain forms: they work without scripts."""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import RedirectURLMixin
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.generic import FormView

from chat import limits
from chat.errors import LimitReached
from chat.limits.addresses import client_address
from chat.models import Thread

from . import exporting, tokens
from .erasing import end_sessions, erase, erase_user
from .forms import EraseForm, SignInForm, SignUpForm, TokenForm
from .models import Token
from .owners import owner_of_request
from .sessions import note_session, sign_in


def can_send_mail() -> bool:
    """Whether a forgotten password can be replaced."""
    return bool(settings.EMAIL_HOST)


class _Limited:
    """Counts what is sent, before it is looked at: a guess that is refused costs the guesser as well."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            limits.check("login", client_address(request))
        except LimitReached as exc:
            form = self.get_form_class()(**self.get_form_kwargs() | {"data": None})  # type: ignore[attr-defined]
            context = self.get_context_data(form=form, refused=exc.message)  # type: ignore[attr-defined]
            response = self.render_to_response(context, status=429)  # type: ignore[attr-defined]
            response["Retry-After"] = str(int(exc.retry_after) + 1)
            return response
        return super().post(request, *args, **kwargs)  # type: ignore[misc]


class SignIn(_Limited, views.LoginView):
    """Sign in, and keep what one had as a visitor."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm
    next_page = reverse_lazy("index")
    extra_context = {"can_send_mail": can_send_mail}

    def form_valid(self, form: SignInForm) -> HttpResponse:
        sign_in(self.request, form.get_user())
        return redirect(self.get_success_url())


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class SignUp(_Limited, RedirectURLMixin, FormView):
    """A new account, which keeps what one had as a visitor."""

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
    """Only by POST, as Django has it."""

    next_page = reverse_lazy("index")


class PasswordChange(views.PasswordChangeView):
    """Another password; all other devices are signed out."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        note_session(self.request, self.request.user)  # it has another key now
        end_sessions(self.request.user, but=self.request.session.session_key)
        messages.success(self.request, "Your password is changed, and all other devices are signed out.")
        return response


class _ByMail:
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not can_send_mail():
            raise Http404
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class PasswordReset(_ByMail, _Limited, views.PasswordResetView):
    """Ask for a link. Says the same whether or not there is such an account."""

    template_name = "accounts/reset.html"
    email_template_name = "accounts/reset_mail.txt"
    subject_template_name = "accounts/reset_subject.txt"
    success_url = reverse_lazy("reset-sent")


class PasswordResetSent(_ByMail, views.PasswordResetDoneView):
    """It is on its way."""

    template_name = "accounts/reset_sent.html"


class PasswordResetConfirm(_ByMail, views.PasswordResetConfirmView):
    """The link: choose a new password. All devices are signed out."""

    template_name = "accounts/reset_confirm.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        end_sessions(self.user)
        messages.success(self.request, "Your password is changed. Please sign in with it.")
        return response


@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """What there is, and what can be done with it; also for visitors without an account."""
    return _account_page(request, TokenForm())


def _account_page(request: HttpRequest, form: TokenForm, **more: Any) -> HttpResponse:
    owner = owner_of_request(request)
    context = {
        "threads": Thread.objects.filter(owner=owner).count(),
        "tokens": list(request.user.tokens.all()) if request.user.is_authenticated else [],
        "scopes": tokens.SCOPES,
        "form": form,
    }
    return render(request, "accounts/account.html", context | more)


@require_POST
@login_required
@never_cache
def make_token(request: HttpRequest) -> HttpResponse:
    """A new token. Its secret is in this one page and nowhere else."""
    form = TokenForm(request.POST)
    if form.is_valid() and request.user.tokens.count() >= tokens.MOST:
        form.add_error(None, f"You have {tokens.MOST} tokens. Please revoke one first.")
    if not form.is_valid():
        return _account_page(request, form)
    _, secret = tokens.issue(request.user, **form.values())
    return _account_page(request, TokenForm(), secret=secret)


@require_POST
@login_required
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """From now on it opens nothing."""
    Token.objects.filter(user=request.user, pk=token_id).delete()
    messages.success(request, "The token is revoked.")
    return redirect("account")


@require_safe
@never_cache
async def export(request: HttpRequest) -> StreamingHttpResponse:
    """Everything one has, as a ZIP."""
    owner = await sync_to_async(owner_of_request)(request)
    about = await sync_to_async(_about)(request)
    response = StreamingHttpResponse(exporting.sent(owner, about), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="buddy-{timezone.localdate()}.zip"'
    return response


def _about(request: HttpRequest) -> dict[str, Any]:
    user = request.user
    if not user.is_authenticated:
        return {"account": None}
    kept = [
        {"name": t.name, "scopes": t.scopes, "createdAt": t.created_at, "lastUsedAt": t.last_used_at}
        for t in user.tokens.all()
    ]
    return {
        "account": {"name": user.username, "email": user.email, "since": user.date_joined, "tokens": kept}
    }


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@never_cache
def erase_all(request: HttpRequest) -> HttpResponse:
    """Erase everything, after saying what that is."""
    owner = owner_of_request(request)
    form = EraseForm(request.user, request.POST or None)
    refused = _refusal(request)
    if not refused and form.is_valid():
        if request.user.is_authenticated:
            erase_user(request.user)
        logout(request)
        erase(owner)  # last: nobody can be this owner any more
        response = render(request, "accounts/erased.html")
        response["Clear-Site-Data"] = '"cache", "storage"'  # drafts that were never sent
        return response
    count = Thread.objects.filter(owner=owner).count()
    context = {"form": form, "threads": count, "refused": refused}
    return render(request, "accounts/erase.html", context, status=429 if refused else 200)


def _refusal(request: HttpRequest) -> str:
    """A password can be guessed here as well."""
    try:
        if request.method == "POST" and request.user.is_authenticated:
            limits.check("login", client_address(request))
    except LimitReached as exc:
        return exc.message
    return ""
