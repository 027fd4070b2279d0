"""The gate of the pages: the blocked get a page that says so, and others may have to sign in first."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from chat.accounts.access import gate
from chat.accounts.access.owners import owner_of_visitor
from chat.limits.addresses import client_address

#: Names of pages for all people.
_FOR_ALL = {"care", "favicon", "healthz", "readyz", "metrics", "account_inactive"}
#: Names of the pages on which people sign in and out: staff must be able to, from everywhere.
_SIGNING_IN = {
    "account_login",
    "account_logout",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "openid_connect_login",
    "openid_connect_callback",
    "admin:login",
    "admin:logout",
}
#: Names of the pages for a visitor who needs an account first.
_SIGNING_UP = {
    "account_signup",
    "sign-up-code",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
}
#: Names of the pages for those who are blocked: all people may have and erase their data.
_OWN_DATA = {"export", "erase", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


class GateMiddleware(MiddlewareMixin):
    """Asks the gate before each page. The API asks in `owners` and `tokens`, where it knows the owner."""

    async def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Return the refusal, or None. Nothing is read while the gate can refuse no person."""
        match = request.resolver_match
        name = match.view_name if match else ""
        if request.path_info.startswith("/api/") or name in _FOR_ALL | _SIGNING_IN:
            return None
        return await sync_to_async(_refusal)(request, name) if await gate.may_refuse() else None


def _refusal(request: HttpRequest, name: str) -> HttpResponse | None:
    user: Any = request.user
    owner = f"u:{user.pk}" if user.is_authenticated else owner_of_visitor(request)
    try:
        gate.check(owner, client_address(request))
    except gate.Blocked as refused:
        if name in _OWN_DATA:
            return None
        context = {"message": refused.message, "owner": owner}
        return render(request, "accounts/blocked.html", context, status=refused.status)
    except gate.SignInRequired:
        return None if name in _SIGNING_UP else redirect_to_login(request.get_full_path())
    return None
