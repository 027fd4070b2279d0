"""API tokens: `Authorization: Bearer buddy_…`, each for some scopes, for a time, until it is revoked."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from chat import limits

from .models import Token

#: What a token may be allowed, and how it is put to its owner.
SCOPES = {
    "read": "Read conversations, jobs and usage",
    "chat": "Write: ask, change, stop and delete",
    "analytics": "Report events",
}
_SECRET = re.compile(r"buddy_[A-Za-z0-9_-]{43}")
#: A user's tokens at most.
MOST = 20
#: How precisely the last use is known: a write per request would be more work than the request.
_MINUTE = timedelta(minutes=1)


@dataclass(eq=False)
class TokenRefused(Exception):
    """401 or 403, with the words of RFC 6750."""

    status: int
    error: str
    """`invalid_token`, `insufficient_scope` or `invalid_request`."""
    message: str
    scope: str = ""

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` header."""
        scope = f', scope="{self.scope}"' if self.scope else ""
        return f'Bearer realm="buddy", error="{self.error}"{scope}'


def issue(user: Any, *, name: str, scopes: list[str], expires_at: Any = None) -> tuple[Token, str]:
    """A new token and its secret, which is not to be had again."""
    secret = "buddy_" + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user, name=name, digest=digest(secret), start=secret[:12], scopes=scopes, expires_at=expires_at
    )
    return token, secret


def digest(secret: str) -> str:
    """What stands for a secret where it must not be kept."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def in_handshake(scope: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(secret, subprotocol to answer with) of a socket's ASGI scope.

    Either an `Authorization` header, or, where a client cannot send one, the subprotocols `buddy` and
    `bearer.<secret>`. Never in the address: addresses are logged.
    """
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            return in_header(value.decode("latin-1")), None
    offered = scope.get("subprotocols") or []
    secret = next((one.removeprefix("bearer.") for one in offered if one.startswith("bearer.")), None)
    return secret, "buddy" if "buddy" in offered else None


def in_header(authorization: str) -> str | None:
    """The secret in an `Authorization` header; None when it is another scheme's, or empty."""
    scheme, _, secret = authorization.strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def check(secret: str, scope: str) -> Token:
    """The token that `secret` is, which may do `scope`; else `TokenRefused`. Blocks."""
    found = None
    if _SECRET.fullmatch(secret):
        found = Token.objects.filter(digest=digest(secret), user__is_active=True).first()
    if found is None:
        raise TokenRefused(401, "invalid_token", "This token is wrong, or it was revoked.")
    if found.has_expired:
        raise TokenRefused(
            401, "invalid_token", "This token has expired. Make a new one on your account page."
        )
    if scope not in found.scopes:
        raise TokenRefused(403, "insufficient_scope", f"This token is not allowed to {scope}.", scope)
    _note_use(found)
    return found


def owner_of(secret: str, scope: str, address: str) -> str:
    """The owner that a token stands for, or `TokenRefused`. Blocks.

    Wrong ones are counted as attempts to sign in from `address`; `LimitReached` when there were too many.
    """
    try:
        return f"u:{check(secret, scope).user_id}"
    except TokenRefused as exc:
        if exc.status == 401:
            limits.check("login", address)
        raise


def _note_use(token: Token) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _MINUTE:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)


def alive_among(digests: set[str]) -> set[str]:
    """Those digests that still stand for a token. Blocks."""
    now = timezone.now()
    valid = Token.objects.filter(digest__in=digests, user__is_active=True)
    return set(valid.filter(Q(expires_at=None) | Q(expires_at__gt=now)).values_list("digest", flat=True))
