"""Signing in with an OpenID provider that the operator has chosen (`OIDC_URL`), by django-allauth."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse

from chat.accounts import texts

from . import signing_up

#: The name of the provider in addresses.
PROVIDER = "sso"


def login_url() -> str:
    """Return the address that leads to the provider; empty if there is none."""
    return reverse("openid_connect_login", args=[PROVIDER]) if settings.OIDC_URL else ""


class OpenIDAdapter(DefaultSocialAccountAdapter):
    """The rules of the site for people whom the provider signs in."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the account of a person who comes for the first time, or create it.

        It is the account that has verified the same address. An address that the provider does not call
        verified means nothing: any person could have entered it there.
        """
        if sociallogin.is_existing:
            return
        verified = [one.email.lower() for one in sociallogin.email_addresses if one.verified]
        email = verified[0] if verified else ""
        known = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
        with transaction.atomic():
            if email and known:
                sociallogin.connect(request, known.user)  # and tell the owner of the account
            else:
                sociallogin.user = _new_user(request, sociallogin, email)
                sociallogin.save(request, connect=True)

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Lead back to the page to sign in."""
        raise _refused(request, texts.OIDC_FAILED)

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("account")


def _new_user(request: HttpRequest, sociallogin: SocialLogin, email: str) -> User:
    """Return a new user without a password, if this person may have an account."""
    if not (signing_up.is_open_by_provider(request) and signing_up.is_allowed_address(email)):
        raise _refused(request, texts.OIDC_NO_ACCOUNT)
    user = User(email=email)
    name = sociallogin.user.get_username() if sociallogin.user else ""
    user.username = get_adapter().generate_unique_username([name, email, "user"])
    user.set_unusable_password()
    user.save()
    if email:
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    signing_up.use_invitation(request, user)
    return user


def _refused(request: HttpRequest, text: str) -> ImmediateHttpResponse:
    messages.error(request, text)
    return ImmediateHttpResponse(redirect("account_login"))
