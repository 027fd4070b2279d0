"""The account page with its API tokens, the export and the erasing of all data."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.accounts import texts
from chat.accounts.access import tokens
from chat.accounts.access.owners import admit_visitor, owner_of_request
from chat.accounts.access.tries import devices
from chat.accounts.models import Token
from chat.accounts.personal_data.erasing import erase
from chat.accounts.signing_in import second_factor
from chat.limits.addresses import client_address
from chat.models import Thread

from . import exporting
from .forms import EraseForm, TokenForm


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the account page, to users and to visitors without an account."""
    return _account_page(request, TokenForm())


def _account_page(request: HttpRequest, form: TokenForm, **context: Any) -> HttpResponse:
    user = request.user
    context |= {
        "threads": Thread.objects.filter(owner=owner_of_request(request)).count(),
        "tokens": list(user.tokens.all()) if user.is_authenticated else [],
        "form": form,
        "sends_mail": settings.SENDS_MAIL,
        "verified_email": _verified_email(user),
    }
    return render(request, "accounts/account.html", context)


def _verified_email(user: Any) -> str:
    verified = EmailAddress.objects.get_verified(user) if user.is_authenticated else None
    return verified.email if verified else ""


@require_POST
@login_required
@reauthentication_required
def create_token(request: HttpRequest) -> HttpResponse:
    """Create an API token, and show the account page with its secret this one time."""
    form = TokenForm(request.POST)
    if form.is_valid() and request.user.tokens.count() >= tokens.MAX_TOKENS_PER_USER:
        form.add_error(None, texts.too_many_tokens(tokens.MAX_TOKENS_PER_USER))
    if not form.is_valid():
        return _account_page(request, form)
    _, secret = tokens.issue(request.user, address=client_address(request), **form.values())
    return _account_page(request, TokenForm(), secret=secret)


@require_POST
@login_required
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Delete one of the user's API tokens."""
    Token.objects.filter(user=request.user, pk=token_id).delete()
    messages.success(request, texts.TOKEN_REVOKED)
    return redirect("account")


@require_safe
async def export(request: HttpRequest) -> HttpResponseBase:
    """Download all data of the owner as a ZIP. Users need a recent proof, and then return to the link."""
    if await sync_to_async(_needs_proof)(request):
        messages.info(request, texts.PROVE_TO_EXPORT)
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': reverse('account')})}")
    owner = await sync_to_async(owner_of_request)(request)
    account_data = await sync_to_async(_account_data)(request)
    response = StreamingHttpResponse(exporting.stream(owner, account_data), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="buddy-{timezone.localdate()}.zip"'
    return response


def _needs_proof(request: HttpRequest) -> bool:
    return request.user.is_authenticated and not second_factor.has_recent_proof(request)


def _account_data(request: HttpRequest) -> dict[str, Any]:
    user = request.user
    if not user.is_authenticated:
        return {"account": None}
    api_tokens = [
        {
            "name": t.name,
            "scopes": t.scopes,
            "createdAt": t.created_at,
            "createdFrom": t.created_from,
            "lastUsedAt": t.last_used_at,
            "lastUsedFrom": t.last_used_from,
        }
        for t in user.tokens.all()
    ]
    return {
        "account": {
            "name": user.username,
            "email": user.email,
            "emailIsVerified": bool(_verified_email(user)),
            "since": user.date_joined,
            "tokens": api_tokens,
            "passkeys": [
                {"name": str(row), "createdAt": row.created_at, "lastUsedAt": row.last_used_at}
                for row in Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
            ],
            "sessions": [
                {
                    "browser": row.user_agent,
                    "signedInAt": row.created_at,
                    "lastUsedAt": row.last_seen_at,
                    "lastUsedFrom": row.address,
                }
                for row in user.sessions.all()
            ],
        }
    }


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def erase_all(request: HttpRequest) -> HttpResponse:
    """Show what will be erased; erase it when the form is confirmed."""
    owner = owner_of_request(request)
    form = EraseForm(request.user, request.POST or None)
    if form.is_valid():
        return _erase(request, owner)
    count = Thread.objects.filter(owner=owner).count()
    return render(request, "accounts/erase.html", {"form": form, "threads": count})


def _erase(request: HttpRequest, owner: str) -> HttpResponse:
    user = request.user
    if request.session.is_unstored:
        admit_visitor(client_address(request))  # its erasing is remembered for a day
    request.is_erasing = True
    logout(request)
    if user.is_authenticated:
        user.delete()  # erases what belongs to it
    else:
        erase(owner)  # last: from here on no session has this owner
    response = render(request, "accounts/erased.html")
    response["Clear-Site-Data"] = '"cache", "storage"'  # also drafts in the browser that were never sent
    response.delete_cookie(devices.COOKIE)
    return response
