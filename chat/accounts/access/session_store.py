"""The store of sessions (`SESSION_ENGINE`): rows of the database that only the browser's cookie opens.

A row is named by a digest of the session key, and its contents are encrypted with the key. The key itself is
only in the cookie. So a person who reads the database or a backup finds no session to use, and no code or
link that a session keeps for a while, such as that of a password reset.
"""

import base64
import hashlib
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.contrib.sessions.backends import db
from django.utils import timezone

#: Number of hexadecimal digits that are stored: 160 bits, as many as a session key has.
_DIGITS = 40


def stored_key(session_key: str) -> str:
    """Return the digest of a session key by which the session is stored."""
    return hashlib.sha256(session_key.encode(errors="replace")).hexdigest()[:_DIGITS]


class SessionStore(db.SessionStore):
    """Django's sessions in the database. `session_key` is the key in the cookie, the row has its digest."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Return the contents of this session as they are stored."""
        return self._cipher().encrypt(super().encode(session_dict).encode()).decode()

    def decode(self, session_data: str) -> dict[str, Any]:
        """Return the stored contents of this session; empty if they cannot be read with its key."""
        if ":" in session_data:  # stored by an earlier version, which only signed
            return dict(super().decode(session_data))
        try:
            return dict(super().decode(self._cipher().decrypt(session_data.encode()).decode()))
        except InvalidToken:
            return {}

    def _cipher(self) -> Fernet:
        secret = hashlib.sha256(b"session contents:" + (self.session_key or "").encode(errors="replace"))
        return Fernet(base64.urlsafe_b64encode(secret.digest()))

    def _get_session_from_db(self) -> Any:
        return self._found(self._stored().first())

    async def _aget_session_from_db(self) -> Any:
        return self._found(await self._stored().afirst())

    def _stored(self) -> Any:
        key = stored_key(self.session_key or "")
        return self.model.objects.filter(session_key=key, expire_date__gt=timezone.now())

    def _found(self, row: Any) -> Any:
        """Return the row. Without one the key is dropped, so that clients cannot choose their own."""
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        """Return whether a session with this key is stored."""
        return bool(super().exists(stored_key(session_key)))

    async def aexists(self, session_key: str) -> bool:
        """Return whether a session with this key is stored."""
        return bool(await super().aexists(stored_key(session_key)))

    def create_model_instance(self, data: Any) -> Any:
        """Return the row of the session with these contents."""
        return _with_digest(super().create_model_instance(data))

    async def acreate_model_instance(self, data: Any) -> Any:
        """Return the row of the session with these contents."""
        return _with_digest(await super().acreate_model_instance(data))

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, or this session."""
        if key := session_key or self.session_key:
            super().delete(stored_key(key))

    async def adelete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, or this session."""
        if key := session_key or self.session_key:
            await super().adelete(stored_key(key))


def _with_digest(row: Any) -> Any:
    row.session_key = stored_key(row.session_key)
    return row
