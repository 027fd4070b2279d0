"""The way to the OpenID provider and back. The views are those of django-allauth."""

import logging
from collections.abc import Callable
from typing import Any

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import urlencode
from requests import RequestException

from chat import limits
from chat.accounts import texts
from chat.accounts.oidc import PROVIDER
from chat.limits.addresses import client_address

logger = logging.getLogger(__name__)

#: What allauth raises for a provider that does not answer, or not as the standard says.
_FAILURES = (RequestException, OAuth2Error, LookupError, TypeError, ValueError, AttributeError)


class _Provider(OpenIDConnectOAuth2Adapter):
    """The provider of the settings: it must call itself by the same address."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the provider says about itself. Raise `OAuth2Error` if it says to be another."""
        config = super().openid_config
        if str(config["issuer"]).rstrip("/") != settings.OIDC_URL.rstrip("/"):
            raise OAuth2Error(f"OIDC_URL is {settings.OIDC_URL}, but its issuer is {config['issuer']}")
        return dict(config)


def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider. A link of another site does not: it would sign people in without their will."""
    _check(request, provider_id)
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return redirect("account_login")
    # allauth would pass parameters of the address on to the provider, also in the place of ours.
    target = request.GET.get("next")
    request.GET = QueryDict(urlencode({"next": target}) if target else "")
    return _answered(request, OAuth2LoginView.adapter_view(_Provider(request, provider_id)))


def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in the person who comes back from the provider."""
    _check(request, provider_id)
    return _answered(request, OAuth2CallbackView.adapter_view(_Provider(request, provider_id)))


def _answered(request: HttpRequest, view: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """Return the answer of a view; if the provider fails, the way back to the page to sign in."""
    try:
        return view(request)
    except _FAILURES:
        logger.exception("the OpenID provider failed")
        messages.error(request, texts.OIDC_FAILED)
        return redirect("account_login")


def _check(request: HttpRequest, provider_id: str) -> None:
    """Raise `Http404` without this provider, and `LimitReached` after too many: each asks the provider."""
    if not settings.OIDC_URL or provider_id != PROVIDER:
        raise Http404
    limits.check("login", client_address(request))
