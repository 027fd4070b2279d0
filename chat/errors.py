"""The chat's own errors, and the description of every error for clients.

ChatError
├── InvalidInput     a field of the request is wrong; `field` names it (422)
├── Conflict         the request comes too early or too late (409)
├── OtherOwner       the page that sent the request belongs to another owner (409)
└── TryLater         nothing was accepted; carries when to come back
    ├── LimitReached   a limit of this owner or address is reached (429)
    └── Busy           the server is at its own limit (503)
        └── StorageFull  the server has no room to store more (507)

The engine adds `BadSubmission`, `WrongState` and `Rejected` of what is submitted, and Django the
`DoesNotExist` of its models, which also means that the row belongs to another owner, and the errors of a
database that is unavailable (503, `unavailable`). `refusal_of` is the one place that maps all of them; HTTP
writes a `Refusal` as problem details (http/problems.py), the socket as an event (protocol/error_events.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import Error as DatabaseError

from queueing.api import BadSubmission, QueueingError, Rejected, WrongState
from queueing.api.database import is_outage


class ChatError(Exception):
    """Base of the errors that the chat raises on purpose. `message` is shown to the client."""

    #: The HTTP status that says the same.
    status = 422

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.code = code
        self.message = message
        self.field = field


class InvalidInput(ChatError, ValueError):
    """The value of the named field cannot be accepted. Nothing was stored."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("invalid", message, field=field)


class Conflict(ChatError):
    """The state of what the request is about does not allow it now. Nothing was changed."""

    status = 409

    def __init__(self, message: str) -> None:
        super().__init__("wrong_state", message)


class OtherOwner(ChatError):
    """The page that sent the request was loaded for another owner. Nothing was done."""

    status = 409

    def __init__(self, message: str) -> None:
        super().__init__("other_owner", message)


class TryLater(ChatError):
    """The request cannot be accepted now. Nothing was stored. `retry_after` is in seconds."""

    def __init__(self, code: str, message: str, retry_after: float) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class LimitReached(TryLater):
    """The owner or the address has reached a limit: `rate_limited`, `owner_limit` or `budget_spent`."""

    status = 429


class Busy(TryLater):
    """The server has reached a limit of its own: `queue_full`."""

    status = 503


class StorageFull(Busy):
    """The server has no room to store more: `storage_full`."""

    status = 507

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__("storage_full", message, retry_after)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The description of an error for a client."""

    status: int
    """The HTTP status."""
    code: str
    """A stable word for programs."""
    message: str
    """A sentence for people."""
    field: str = ""
    retry_after: float | None = None
    """Seconds."""
    try_later: bool = False
    """True when the same request will be accepted later."""


def refusal_of(error: Exception) -> Refusal | None:
    """Return the description of `error` for a client; None for an unexpected error."""
    for kind in type(error).__mro__:
        if describe := _REFUSALS.get(kind):
            return describe(error)
    return None


def _of_chat_error(error: ChatError) -> Refusal:
    return Refusal(
        status=error.status,
        code=error.code,
        message=error.message,
        field=error.field,
        retry_after=getattr(error, "retry_after", None),
        try_later=isinstance(error, TryLater),
    )


def _of_rejected(error: Rejected) -> Refusal:
    kind = LimitReached if error.code == "owner_limit" else Busy
    return _of_chat_error(kind(error.code, error.message, error.retry_after))


def _of_bad_submission(error: BadSubmission) -> Refusal:
    return _of_chat_error(InvalidInput(error.field, error.message))


def _of_wrong_state(error: WrongState) -> Refusal:
    return _of_chat_error(Conflict(f"{str(error).capitalize()}."))


def _of_database_error(error: DatabaseError) -> Refusal | None:
    return UNAVAILABLE if is_outage(error) else None


def _of_missing_row(_error: ObjectDoesNotExist) -> Refusal:
    return NOT_FOUND


#: Errors that refuse a request. The request is not to blame for any other.
REFUSALS = (ChatError, QueueingError, ObjectDoesNotExist)

NOT_FOUND = Refusal(
    status=404, code="not_found", message="This does not exist, or it belongs to someone else."
)
UNAVAILABLE = Refusal(
    status=503,
    code="unavailable",
    message="The database does not answer at the moment.",
    retry_after=3.0,
    try_later=True,
)
SERVER_ERROR = Refusal(
    status=500, code="server_error", message="Something went wrong here. Please try again."
)

_REFUSALS: dict[type, Callable[[Any], Refusal | None]] = {
    ChatError: _of_chat_error,
    BadSubmission: _of_bad_submission,
    WrongState: _of_wrong_state,
    Rejected: _of_rejected,
    ObjectDoesNotExist: _of_missing_row,
    DatabaseError: _of_database_error,
}
