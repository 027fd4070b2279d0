"""Who may create an account: by `SIGN_UP`, an invitation and `SIGN_UP_DOMAINS`."""

import hashlib
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from chat.accounts import texts
from chat.accounts.models import Invitation

#: The parameter of the link, and the key of a session, with the secret of an invitation.
PARAMETER = "invitation"


def is_open(request: HttpRequest) -> bool:
    """Return whether this visitor may create an account with a password."""
    if settings.SIGN_UP == "invited":
        return invitation_of(request) is not None
    return settings.SIGN_UP == "open" and (settings.SENDS_MAIL or not settings.SIGN_UP_DOMAINS)


def why_closed() -> str:
    """Return the sentence for a visitor who may not."""
    return texts.SIGN_UP_BY_INVITATION if settings.SIGN_UP == "invited" else texts.SIGN_UP_CLOSED


def is_open_by_provider(request: HttpRequest) -> bool:
    """Return whether a person whom the OpenID provider has signed in may have a new account."""
    return settings.SIGN_UP in ("open", "oidc") or is_open(request)


def is_allowed_address(email: str) -> bool:
    """Return whether an account with this address may be created."""
    domain = email.rpartition("@")[2].lower()
    return not settings.SIGN_UP_DOMAINS or domain in {one.lower() for one in settings.SIGN_UP_DOMAINS}


def invite(*, note: str, ends_at: datetime, actor: str) -> tuple[Invitation, str]:
    """Create an invitation; return it with the path of its link, which cannot be read again."""
    secret = secrets.token_urlsafe(32)
    row = Invitation.objects.create(digest=_digest(secret), note=note, ends_at=ends_at, created_by=actor)
    return row, f"{reverse('account_signup')}?{urlencode({PARAMETER: secret})}"


def remember(request: HttpRequest) -> None:
    """Keep the invitation of an opened link in the session until the account is created."""
    secret = request.GET.get(PARAMETER, "")
    if settings.SIGN_UP == "invited" and secret and _open_invitations(secret).exists():
        request.session[PARAMETER] = secret


def invitation_of(request: HttpRequest) -> Invitation | None:
    """Return the invitation with which this visitor can sign up."""
    return _open_invitations(request.session.get(PARAMETER, "")).first()


def use_invitation(request: HttpRequest, user: Any) -> None:
    """Use the invitation for a new account, where one is needed. In the transaction that creates the account.

    An invitation that another person has used meanwhile, or that has ended, leads to the sign-up page.
    """
    if settings.SIGN_UP != "invited":
        return
    secret = request.session.pop(PARAMETER, "")
    used = _open_invitations(secret).update(used_at=timezone.now(), used_by=user)
    if not used:
        messages.error(request, texts.SIGN_UP_BY_INVITATION)
        raise ImmediateHttpResponse(redirect("account_signup"))


def _open_invitations(secret: str) -> Any:
    return Invitation.objects.filter(digest=_digest(secret), used_at=None, ends_at__gt=timezone.now())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()
