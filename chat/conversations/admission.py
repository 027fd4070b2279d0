"""Whether somebody may ask now, or a little later: what is looked at before anything is stored."""

import math
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from django.conf import settings
from django.http import HttpRequest

from chat.errors import LimitReached
from chat.limits.addresses import client_address
from chat.limits.reservations import Reservation, reserve
from chat.limits.rules import rule
from queueing.api import events

#: The reason of a delay: they have sent many messages.
RATE_LIMIT = "rate_limit"


@dataclass(frozen=True)
class Asker:
    """Who asks."""

    owner: str
    """A key of `chat.accounts.owners`."""
    address: str = ""
    """A `client_address`; empty when it is not known, and then not counted."""

    @classmethod
    def of_request(cls, request: HttpRequest, owner: str) -> Self:
        """The one behind an HTTP request."""
        return cls(owner, client_address(request))

    @property
    def signed_in(self) -> bool:
        """Whether it is a user, not an anonymous visitor."""
        return self.owner.startswith("u:")


@dataclass(frozen=True)
class Admission:
    """They may, after `delay`. As a context manager it gives its turn back when the block raises:

    with admit(asker=asker, kind="chat.reply", companion="travel", text=text) as admission:
        say(thread, text, request_id, admission=admission)
    """

    delay: float = 0.0
    """Seconds to hold the job, to be given to `submit`; mostly 0."""
    reason: str = ""
    """Why it is held: `rate_limit`; empty when it is not."""
    reservation: Reservation = field(default_factory=Reservation)

    @property
    def meta(self) -> dict[str, str]:
        """What to put into the job's `meta`, so that its wait is told with the reason."""
        return {events.DELAY_REASON: self.reason} if self.reason else {}

    def give_back(self) -> None:
        """Nothing was asked after all, so it does not count."""
        self.reservation.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if exc is not None:
            self.give_back()


#: Nobody was asked.
AT_ONCE = Admission()


def admit(*, asker: Asker, kind: str, companion: str, text: str, most_wait: float | None = None) -> Admission:
    """Let `asker` ask, perhaps held for a while (at most `most_wait` seconds, or LIMIT_MAX_WAIT).

    Raises `LimitReached` (`rate_limited`, with the seconds after which it would be let through). A request
    that was accepted before must not come here: repeating it costs nothing. Blocks.
    """
    most = settings.LIMIT_MAX_WAIT if most_wait is None else most_wait
    limits = [
        (asker.owner, rule("user" if asker.signed_in else "anonymous")),
        (asker.address, rule("address")),
    ]
    reservation = reserve(limits, max_wait=most)
    if not reservation.granted:
        wait = max(1.0, reservation.wait - most)
        raise LimitReached("rate_limited", f"You have sent many messages. Please wait {_time(wait)}.", wait)
    reason = RATE_LIMIT if reservation.wait else ""
    return Admission(delay=reservation.wait, reason=reason, reservation=reservation)


def _time(seconds: float) -> str:
    return f"{math.ceil(seconds)} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"
