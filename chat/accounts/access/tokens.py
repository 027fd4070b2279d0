"""API tokens: `Authorization: Bearer buddy_…`, with scopes and an expiry, until they are revoked."""

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from chat.accounts import texts
from chat.accounts.models import Token
from queueing.api import add_log_ids

from . import gate
from .tries import tries

#: What every API token looks like.
SECRET = re.compile(r"buddy_[A-Za-z0-9_-]{43}")
#: Maximum number of tokens of one user.
MAX_TOKENS_PER_USER = 20
#: Precision of `last_used_at`: writing it with each request would cost more than the request.
_LAST_USE_PRECISION = timedelta(minutes=1)


@dataclass(eq=False)
class TokenRefused(Exception):
    """A refused token: status 401 or 403, with the error codes of RFC 6750."""

    status: int
    error: str
    """`invalid_token`, `insufficient_scope` or `invalid_request`."""
    message: str
    scope: str = ""

    @property
    def challenge(self) -> str:
        """Return the value of the `WWW-Authenticate` header."""
        scope = f', scope="{self.scope}"' if self.scope else ""
        return f'Bearer realm="buddy", error="{self.error}"{scope}'


def issue(
    user: Any, *, name: str, scopes: list[str], expires_at: Any = None, address: str = ""
) -> tuple[Token, str]:
    """Create a token, for a client at `address`; return it with its secret, which cannot be read again."""
    secret = "buddy_" + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user=user,
        name=name,
        digest=digest(secret),
        prefix=secret[:12],
        scopes=scopes,
        expires_at=expires_at,
        created_from=address,
    )
    return token, secret


def digest(secret: str) -> str:
    """Return the digest that is stored in place of a secret."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def secret_in_handshake(scope: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return (secret, subprotocol to accept) of a socket's ASGI scope.

    The secret is in the `Authorization` header, or, where a client cannot send one, in the subprotocols
    `buddy` and `bearer.<secret>`. It is never in the address, because addresses are logged.
    """
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            return secret_in_header(value.decode("latin-1")), None
    offered = scope.get("subprotocols") or []
    secret = next((one.removeprefix("bearer.") for one in offered if one.startswith("bearer.")), None)
    return secret, "buddy" if "buddy" in offered else None


def secret_in_header(authorization: str) -> str | None:
    """Return the secret in an `Authorization` header; None for another scheme or an empty header."""
    scheme, _, secret = authorization.strip().partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def check(secret: str, scope: str, address: str) -> Token:
    """Return the token with this secret and `scope`, used at `address`. Raises `TokenRefused`. Blocks."""
    found = None
    if SECRET.fullmatch(secret):
        found = Token.objects.filter(digest=digest(secret), user__is_active=True).first()
    if found is None:
        raise TokenRefused(401, "invalid_token", texts.TOKEN_UNKNOWN)
    add_log_ids(owner=found.owner)
    if found.has_expired:
        raise TokenRefused(401, "invalid_token", texts.TOKEN_EXPIRED)
    if scope not in found.scopes:
        raise TokenRefused(403, "insufficient_scope", texts.scope_missing(scope), scope)
    _record_use(found, address)
    return found


def admit(secret: str, scope: str, address: str) -> Token:
    """Return the token with this secret and `scope`, as `check` and the gate do. Blocks.

    Wrong tokens are counted for `address`; raises `LimitReached` in their place after too many. Right ones
    are never refused: a secret of 256 bits cannot be guessed.
    """
    try:
        token = check(secret, scope, address)
        gate.check(token.owner, address)
        return token
    except TokenRefused as exc:
        if exc.status == 401:
            tries.begin("api_token", network=address).failed()
        raise


def _record_use(token: Token, address: str) -> None:
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _LAST_USE_PRECISION:
        Token.objects.filter(pk=token.pk).update(last_used_at=now, last_used_from=address)


def valid_digests(digests: set[str]) -> set[str]:
    """Return the digests of valid tokens among `digests`. Blocks."""
    now = timezone.now()
    valid = Token.objects.filter(digest__in=digests, user__is_active=True)
    return set(valid.filter(Q(expires_at=None) | Q(expires_at__gt=now)).values_list("digest", flat=True))
