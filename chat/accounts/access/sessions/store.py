"""The store of sessions (`SESSION_ENGINE`): rows of the database that only the browser's cookie opens.

Requests on the event loop read copies of them in Redis (`session_copies`).

A row is named by a digest of the session key, and its contents are encrypted with the key. The key itself is
only in the cookie. So a person who reads the database or a backup finds no session to use, and no code or
link that a session keeps for a while, such as that of a password reset.

A visitor for whom nothing is kept has no row. The key in the cookie is signed, so the server recognises the
visitor, and `keep` stores the session when something is kept. So visits fill no table.
"""

import base64
import hashlib
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError
from django.core.signing import BadSignature, TimestampSigner
from django.db import connection
from django.utils import timezone
from django.utils.crypto import get_random_string

from . import copies
from .age import SINCE, end_of, is_unrecorded, maximum_end
from .copies import Row

#: Number of hexadecimal digits that are stored: 160 bits, as many as a session key has.
_DIGITS = 40
#: The mark of a visitor's session.
IS_VISITOR = "visitor"
#: The stored contents of a visitor's session that has ended. The row stays while the signed key is valid.
ENDED = ""

#: Seconds for which a session is also found by its former key, by requests that were on their way.
GRACE = 4
#: Seconds for which the sockets that were opened with the former key can learn the new one.
_LEARNED = 60

#: Almost every request reads a session. The ORM takes longer to build this statement, and to make an object
#: of the row, than the database to run it.
_ROW = "SELECT session_key, session_data, expire_date FROM django_session WHERE session_key = %s"

#: Rows that say only that there is a visitor, by digest and encrypted contents, and the maximum of them.
_plain: set[tuple[str, str]] = set()
_MOST_PLAIN = 4096

_signer = TimestampSigner(sep=".", salt="visitor")


def stored_key(session_key: str) -> str:
    """Return the digest of a session key by which the session is stored."""
    return hashlib.sha256(session_key.encode(errors="replace")).hexdigest()[:_DIGITS]


def is_of_visitor(session_key: str | None) -> bool:
    """Return whether a key was made for a visitor, less than the lifetime of a session ago."""
    try:
        return bool(_signer.unsign(session_key or "", max_age=settings.SESSION_COOKIE_AGE))
    except BadSignature:
        return False


class SessionStore(db.SessionStore):
    """Django's sessions in the database. `session_key` is the key in the cookie, the row has its digest."""

    _unstored_key: str | None = None
    is_half_over = False
    """True for a visitor's session when less than half of its lifetime is left."""
    is_use_unrecorded = False
    """True for a user's session whose last recorded use is too old (`session_age`)."""
    row: Row | None = None
    """What the contents were read from."""

    @property
    def is_at_hand(self) -> bool:
        """True when using the contents asks no database."""
        return self.session_key is None or hasattr(self, "_session_cache")

    @property
    def is_unstored(self) -> bool:
        """True for the session of a visitor that has no row."""
        return self._unstored_key is not None and self._unstored_key == self.session_key

    @property
    def adds_row_of_stranger(self) -> bool:
        """True when saving adds a row for a client who is not signed in, and has none."""
        if SESSION_KEY in self or not (self.is_unstored or self.session_key is None):
            return False
        return set(self.keys()) > ({IS_VISITOR} if self.is_unstored else set())

    def begin_visit(self) -> None:
        """Make this the session of a new visitor, with a new key and without a row."""
        self[IS_VISITOR] = True
        self._session_key = self._unstored_key = _signer.sign(get_random_string(32))

    def keep(self) -> None:
        """Store the session if it is a visitor's without a row. Blocks."""
        if not self.is_unstored:
            return
        with suppress(CreateError):  # another request of the visitor was first
            super().save(must_create=True)
        self._unstored_key = None

    def save(self, must_create: bool = False) -> None:
        """Store the session, unless it is a visitor's and says only that."""
        if not self.is_unstored:
            super().save(must_create)
        elif set(self.keys()) > {IS_VISITOR}:
            self.keep()

    async def asave(self, must_create: bool = False) -> None:
        """Store the session, unless it is a visitor's and says only that."""
        await sync_to_async(self.save)(must_create)

    def load(self) -> dict[str, Any]:
        """Return the stored contents of this session."""
        self.row = self._found()
        if self.row is None and (new := self.renewed_key(GRACE)):
            self._session_key = new
            self.row = self._found()
        return self._contents(self.row)

    def _found(self) -> Row | None:
        read_at = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(_ROW, [stored_key(self.session_key or "")])
            found = cursor.fetchone()
        if found and (end := _moment(found[2])) > timezone.now():
            return Row(found[0], found[1], end, read_at)
        return None

    def renew_key(self) -> None:
        """Give the stored session of a user another key, and end the one that it has. Blocks."""
        self._get_session()  # what is not loaded would not be stored with a new key
        old, new = self.session_key or "", self._get_new_session_key()
        sealed = self._cipher().encrypt(new.encode()).decode()
        self._session_key = new
        self.save(must_create=True)
        copies.renew(stored_key(old), sealed, _LEARNED)
        self.delete(old)
        self.modified = True

    def take_key(self, key: str) -> None:
        """Go on under the key that the session got meanwhile."""
        self._session_key = key

    def renewed_key(self, seconds: int = _LEARNED) -> str:
        """Return the key that the session got in place of this one of late; empty if it got none. Blocks."""
        if not self.session_key or is_of_visitor(self.session_key):
            return ""
        try:
            sealed = copies.renewed(stored_key(self.session_key))
            return self._cipher().decrypt(sealed.encode(), ttl=seconds).decode()
        except InvalidToken:
            return ""

    async def aload(self) -> dict[str, Any]:
        """Return the stored contents of this session."""
        return await sync_to_async(self.load)()

    async def take_copy(self) -> None:
        """Read the contents from Redis, unless they are at hand or there is no copy of the row."""
        if not self.is_at_hand and (row := await copies.read(stored_key(self.session_key or ""))):
            self.row, self._session_cache = row, self._contents(row)

    def _contents(self, row: Row | None) -> dict[str, Any]:
        """Return what is in the row, or what a visitor's key says without one.

        All other keys are dropped, so that clients cannot choose their own.
        """
        if row is None and is_of_visitor(self._session_key):
            self._unstored_key = self._session_key
            return {IS_VISITOR: True}
        contents = self._opened(row) if row else {}
        if row is None or not contents:
            self._session_key = None
        elif SESSION_KEY in contents:
            # Earlier versions stored no beginning.
            began = row.expire_date.timestamp() - settings.SESSION_COOKIE_AGE
            since = contents.setdefault(SINCE, began)
            self.is_use_unrecorded = is_unrecorded(since, row.expire_date)
        else:
            left = (row.expire_date - timezone.now()).total_seconds()
            self.is_half_over = left < settings.SESSION_COOKIE_AGE / 2
        return contents

    def _opened(self, row: Row) -> dict[str, Any]:
        """Return what is in a row. To decrypt one takes as long as to read it: most are decrypted once."""
        known = (row.session_key, row.session_data)
        if known in _plain:
            return {IS_VISITOR: True}
        contents = self.decode(row.session_data)
        if contents == {IS_VISITOR: True}:
            if len(_plain) >= _MOST_PLAIN:
                _plain.clear()
            _plain.add(known)
        return contents

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Return the seconds for which a browser keeps the cookie: for a user, as long as it can be used."""
        if since := self.get(SINCE):
            return max(0, int((maximum_end(since) - timezone.now()).total_seconds()))
        return super().get_expiry_age(**kwargs)

    def get_expiry_date(self, **kwargs: Any) -> Any:
        """Return when a session ends that is stored now."""
        since = self.get(SINCE)
        return end_of(since) if since else super().get_expiry_date(**kwargs)

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
        """Delete the session with this key, or this session. The row of a visitor stays, as ended."""
        key = session_key or self.session_key
        if is_of_visitor(key):
            self.model.objects.filter(session_key=stored_key(key or "")).update(session_data=ENDED)
            copies.outdate([stored_key(key or "")])
        elif key:
            super().delete(stored_key(key))

    async def adelete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, or this session."""
        await sync_to_async(self.delete)(session_key)


def _moment(stored: datetime) -> datetime:
    """Return a time of the database, which from SQLite is one of UTC that does not say so."""
    return stored if stored.tzinfo else stored.replace(tzinfo=UTC)


def _with_digest(row: Any) -> Any:
    row.session_key = stored_key(row.session_key)
    return row
