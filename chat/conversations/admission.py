"""Admission: the rate limits that a sender must pass before anything is stored."""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from django.conf import settings

from chat.errors import LimitReached
from chat.limits import texts as limit_texts
from chat.limits.addresses import network_name
from chat.limits.reservations import Reservation, reserve
from chat.limits.rules import rule
from queueing.api import events

from . import texts

#: Reason of a delay: the sender has sent many messages.
RATE_LIMIT = "rate_limit"


@dataclass(frozen=True)
class Sender:
    """The owner and the address that send a message."""

    owner: str
    """A key of `chat.accounts.access.owners`."""
    address: str = ""
    """A `client_address`; empty when it is unknown, and then not counted."""

    @property
    def signed_in(self) -> bool:
        """True for a user, False for an anonymous visitor."""
        return self.owner.startswith("u:")

    @property
    def share(self) -> str:
        """The share of the sender's jobs: that of the network for visitors, whose cookies cost nothing."""
        return "" if self.signed_in else network_name(self.address)


@dataclass(frozen=True)
class Admission:
    """A permission to submit after `delay`. As a context manager it is given back when the block raises.

    with admit(message.sender) as admission:
        add_question(thread, Question(text=text, admission=admission))
    """

    delay: float = 0.0
    """Seconds by which the job is delayed; mostly 0."""
    reason: str = ""
    """Why it is delayed: `rate_limit`; empty without a delay."""
    share: str = ""
    """The share of the sender's jobs."""
    reservation: Reservation = field(default_factory=Reservation)

    @property
    def meta(self) -> dict[str, str]:
        """Fields for the job's `meta`, so that its wait is shown with the reason."""
        return {events.DELAY_REASON: self.reason} if self.reason else {}

    def count_calls(self, calls: int) -> None:
        """Count this message as this number of model calls: later messages of the sender wait for them."""
        self.reservation.count(calls)

    def give_back(self) -> None:
        """Do not count this message after all: nothing was submitted."""
        self.reservation.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if exc is not None:
            self.give_back()


#: For what no limit applies to.
ADMITTED_NOW = Admission()


def admit(sender: Sender, *, max_wait: float | None = None) -> Admission:
    """Admit the sender, with a delay of at most `max_wait` seconds (LIMIT_MAX_WAIT unless given).

    Raise `LimitReached` (`rate_limited`, with the seconds after which it would be admitted). A request id
    that was accepted before must not come here: repeating it costs nothing. Blocks.
    """
    maximum = settings.LIMIT_MAX_WAIT if max_wait is None else max_wait
    limits = [
        (sender.owner, rule("user" if sender.signed_in else "anonymous")),
        (sender.address, rule("address")),
    ]
    reservation = reserve(limits, max_wait=maximum)
    if not reservation.granted:
        wait = max(1.0, reservation.wait - maximum)
        raise LimitReached("rate_limited", texts.too_many_messages(limit_texts.in_words(wait)), wait)
    return Admission(
        delay=reservation.wait,
        reason=RATE_LIMIT if reservation.wait else "",
        share=sender.share,
        reservation=reservation,
    )
