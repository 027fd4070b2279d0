"""The way to the OpenID provider and back. The views are those of django-allauth."""

import logging
import secrets
from collections.abc import Callable

from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from chat import limits
from chat.accounts import texts
from chat.accounts.signing_in.oidc import PROVIDER
from chat.limits.addresses import client_address

from .oidc_provider import FAILURES, NONCE, SettingsProvider

logger = logging.getLogger(__name__)


@require_http_methods(["GET", "POST"])
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider after a click on a page of this site: no link signs people in."""
    view = OAuth2LoginView.adapter_view(_provider(request, provider_id))
    if request.method != "POST":
        return view(request)  # the page with the button
    limits.check("login", client_address(request))
    # allauth would pass parameters of the request on to the provider, also in the place of ours.
    nonce = request.session.setdefault(NONCE, secrets.token_urlsafe())
    target = request.POST.get("next") or request.GET.get("next", "")
    request.GET = QueryDict(urlencode({"next": target, "auth_params": urlencode({"nonce": nonce})}))
    request.POST = QueryDict()
    response = _answered(request, view)
    there = response["Location"]
    if there.startswith("/"):  # the provider failed
        return response
    # Browsers let no form of this site end on another (`form-action`), so a page leads on.
    return render(request, "socialaccount/leave.html", {"there": there})


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in the person who comes back from the provider."""
    provider = _provider(request, provider_id)
    limits.check("login", client_address(request))  # each asks the provider
    return _answered(request, OAuth2CallbackView.adapter_view(provider))


def _answered(request: HttpRequest, view: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """Return the answer of a view; if the provider fails, the way back to the page to sign in."""
    try:
        return view(request)
    except FAILURES:
        logger.exception("the OpenID provider failed")
        messages.error(request, texts.OIDC_FAILED)
        return redirect("account_login")


def _provider(request: HttpRequest, provider_id: str) -> SettingsProvider:
    """Return the provider of the settings. Raise `Http404` for another, and without one."""
    if not settings.OIDC_URL or provider_id != PROVIDER:
        raise Http404
    return SettingsProvider(request, provider_id)
