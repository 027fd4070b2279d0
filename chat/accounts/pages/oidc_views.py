"""The way to the OpenID provider and back. The views are those of django-allauth."""

from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from chat import limits
from chat.limits.addresses import client_address


def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider. A link of another site does not: it would sign people in without their will."""
    _check(request)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return redirect("account_login")
    return views.login(request, provider_id)


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in the person who comes back from the provider."""
    _check(request)
    return views.callback(request, provider_id)


def _check(request: HttpRequest) -> None:
    """Raise `Http404` without a provider, and `LimitReached` after too many: each asks the provider."""
    if not settings.OIDC_URL:
        raise Http404
    limits.check("login", client_address(request))
