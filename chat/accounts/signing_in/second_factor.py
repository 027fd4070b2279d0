"""The second factor: who needs one, whether a session has used it, and what works once."""

import logging
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt, is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

logger = logging.getLogger(__name__)

#: The kinds of authenticators that are a second factor by themselves. Recovery codes come with each of them.
MAIN_TYPES = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def is_required(user: Any) -> bool:
    """Return whether `user` must have a second factor."""
    return bool(settings.STAFF_SECOND_FACTOR and user.is_staff)


def is_missing(request: Any) -> bool:
    """Return whether the user needs a second factor and has not used one in this session since yesterday.

    `request` has `user` and `session`, as an HTTP request and the scope of a socket have.
    """
    if not is_required(request.user):
        return False
    records = get_authentication_records(request, request.user)
    since = timezone.now().timestamp() - settings.STAFF_SECOND_FACTOR_SECONDS
    return not any(record.get("method") == "mfa" and record["at"] > since for record in records)


def has_recent_proof(request: Any) -> bool:
    """Return whether the user has shown a password or a second factor in this session of late."""
    records, now = get_authentication_records(request, request.user), timezone.now().timestamp()
    return any(now - record["at"] <= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT for record in records)


def has_used_passkey(request: Any) -> bool:
    """Return whether the user has used a passkey in this session."""
    records = get_authentication_records(request, request.user)
    return any(record.get("type") == Authenticator.Type.WEBAUTHN for record in records)


def page_for(user: Any) -> str:
    """Return the address of the page on which `user` uses the second factor, or sets it up."""
    if is_mfa_enabled(user, [Authenticator.Type.TOTP]):
        return reverse("mfa_reauthenticate")
    has_passkey = is_mfa_enabled(user, [Authenticator.Type.WEBAUTHN])
    return reverse("mfa_reauthenticate_webauthn" if has_passkey else "mfa_activate_totp")


def record_set_up(*, request: HttpRequest, user: Any, authenticator: Authenticator, **_: Any) -> None:
    """Receive `authenticator_added`: the session that set it up has shown that it works."""
    if authenticator.type in MAIN_TYPES:
        record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


def use_once(authenticator: Authenticator, code: str) -> bool:
    """Return whether a valid code of an app is newer than the last one that was used, and record its use."""
    secret = decrypt(authenticator.data["secret"])
    digits = "".join(filter(str.isdigit, code))
    steps = yield_hotp_counters_from_time()
    step = next((step for step in steps if format_hotp_value(hotp_value(secret, step)) == digits), 0)
    return _record_higher(authenticator, "last_step", step, authenticator.data.get("last_step", 0))


def counts_on(passkey: Authenticator, counter: int) -> bool:
    """Return whether a passkey counts its answers on, and record the counter. A copy of it would count less.

    Passkeys that their makers copy to all devices of a person count nothing: they always answer zero.
    """
    last = passkey.data.get("counter", passkey.wrap().authenticator_data.counter)
    if counter == last == 0 or _record_higher(passkey, "counter", counter, last):
        return True
    logger.warning(
        "a passkey of user %s counted %s after %s: is there a copy?", passkey.user_id, counter, last
    )
    return False


def _record_higher(authenticator: Authenticator, name: str, value: int, last: int) -> bool:
    """Return whether the value is above the last one, and record it.

    Two requests with the same value can arrive together: the update of one of them then finds no row.
    """
    if value <= last:
        return False
    unchanged = Authenticator.objects.filter(pk=authenticator.pk, last_used_at=authenticator.last_used_at)
    return bool(unchanged.update(data=authenticator.data | {name: value}, last_used_at=timezone.now()))
