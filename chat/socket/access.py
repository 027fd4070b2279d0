"""The access of a connection: for whom it was opened, what its client may do, and the record of its use."""

import time
from dataclasses import dataclass
from typing import Any

from chat.accounts.access import access_keys, tokens
from chat.accounts.access.owners import admit_visitor, admitted_owner, adopted_visitor
from chat.accounts.access.sessions.age import SINCE, precision
from chat.accounts.access.sessions.store import SessionStore, stored_key
from chat.accounts.access.signed_in import Place, record_use
from chat.accounts.texts import SCOPE_LABELS, scope_missing
from chat.errors import ChatError
from chat.limits import disk
from chat.protocol import client_messages
from queueing.api.sockets import in_thread


@dataclass
class Access:
    """The access of one connection."""

    scope: Any
    owner: str
    address: str
    """A `client_address`."""
    key: str
    """The access key."""
    scopes: frozenset[str] = frozenset(SCOPE_LABELS)
    """What the client may do: a browser everything, a program what its token allows."""
    adopted: str = ""
    """The visitor whose data moved to the user at the sign-in of this session; empty if none did."""
    _recorded_until: float = 0.0

    @classmethod
    async def of_handshake(cls, scope: Any, secret: str | None, address: str) -> "Access":
        """Return that of a token's user, or of the visitor of the session.

        Raise `TokenRefused` for a wrong token, and `ChatError` if the gate refuses the owner.
        """
        if secret is not None:
            token = await in_thread(tokens.admit)(secret, "read", address)
            key = access_keys.TOKEN + token.digest
            return cls(scope, token.owner, address, key, frozenset(token.scopes))
        session = scope["session"]
        owner = await in_thread(admitted_owner)(scope["user"], session, address)
        adopted = await in_thread(adopted_visitor)(session)
        return cls(scope, owner, address, access_keys.of_session(session), adopted=adopted)

    @property
    def stored_key(self) -> str:
        """The key under which the session is stored."""
        return stored_key(self.key.removeprefix(access_keys.UNSTORED))

    async def learn_key(self) -> None:
        """Take the key that the session got in place of this one, if it got one."""
        self.key = await in_thread(SessionStore(self.key).renewed_key)() or self.key

    def check(self, message: client_messages.ClientMessage) -> None:
        """Raise `ChatError` if the message changes something and the client may only read."""
        if not isinstance(message, client_messages.READING) and "chat" not in self.scopes:
            raise ChatError("insufficient_scope", scope_missing("chat"))

    async def prepare(self, message: client_messages.ClientMessage) -> None:
        """Make sure that what the message adds can be kept. Raise what `chat.errors.refusal_of` describes."""
        if not isinstance(message, client_messages.ADDING_NOTHING):
            disk.check()
            if self.key.startswith(access_keys.UNSTORED):
                await self._keep_visitor()

    async def _keep_visitor(self) -> None:
        """Store the session of a visitor before the first thing that is kept.

        Before: a session that ends in that moment has a row that says so, also to this connection.
        """
        session = self.scope["session"]
        await in_thread(_admit_and_keep)(session, self.address)
        self.key = access_keys.of_session(session)

    async def record_use(self, message: client_messages.ClientMessage) -> None:
        """Record that the session of a user is used, for what its user does and not its page by itself."""
        now = time.monotonic()
        if now < self._recorded_until or isinstance(message, client_messages.READING):
            return
        self._recorded_until = now + precision().total_seconds()
        is_by_session = not self.key.startswith(access_keys.TOKEN)
        if is_by_session and SINCE in (session := self.scope["session"]):
            session.take_key(self.key)
            await in_thread(record_use)(session, Place.of(self.scope))


def _admit_and_keep(session: Any, address: str) -> None:
    admit_visitor(address)
    session.keep()
