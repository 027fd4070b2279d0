"""Tries of secrets: passwords, one-time codes, tokens. Each is counted before the secret is compared.

Tries of strangers count twice: for their network, and for the account. A person who has proven something
before has a budget of their own: the device that signed in to this account earlier, and the session that is
signed in to it. So no stranger can keep the owner of an account out, also not from the same network.

The counts are shared by all processes (`chat/limits`). While Redis is unavailable, each process counts by
itself.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from django.http import HttpRequest

from chat.errors import LimitReached
from chat.limits import texts as limit_texts
from chat.limits.addresses import client_address
from chat.limits.reservations import Reservation, reserve
from chat.limits.rules import Rule, rule

from . import devices, report
from .account_names import digest_of, names_of

#: The request that this process handles now, set by the middleware. None in a shell or a command.
current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)

#: In place of the address of a client whose address is unknown.
_UNKNOWN = "unknown"


@dataclass
class Try:
    """One counted try."""

    what: str
    """What is tried: a key of `texts.TRIED`."""
    account: str
    """The name that was given, or empty."""
    network: str
    counted: Reservation
    has_ended: bool = False

    def succeeded(self) -> None:
        """Take the try back: only wrong secrets count."""
        self.has_ended = True
        self.counted.cancel()

    def failed(self) -> None:
        """Tell the operator. The try stays counted."""
        self.has_ended = True
        report.failed(self.what, self.account, self.network)


def begin(what: str, *, account: str = "", network: str = "") -> Try:
    """Count a try of the secret `what`, before the secret is compared. Blocks.

    `account` is the name under which it is tried; empty for a secret that belongs to no account. `network` is
    a `client_address`, by default that of the current request. Raise `LimitReached` (`rate_limited`, with the
    seconds to wait) after too many; then the secret must not be compared.
    """
    request = current_request.get()
    if request and not network:
        network = client_address(request) or _UNKNOWN
    counted = reserve(_budgets(what, account, network, request), max_wait=0, count_without_redis=True)
    if not counted.granted:
        report.refused(what, account, network)
        raise LimitReached("rate_limited", limit_texts.limit_reached("login", counted.wait), counted.wait)
    return Try(what, account, network, counted)


def _budgets(what: str, account: str, network: str, request: HttpRequest | None) -> list[tuple[str, Rule]]:
    if account and request and (own := _own_budget(account, request)):
        return [(f"{what}:own:{own}", rule("account"))]
    budgets = [(f"{what}:network:{network}", rule("login"))] if network else []
    if account:
        budgets.append((f"{what}:account:{digest_of(account)}", rule("account")))
    return budgets


def _own_budget(account: str, request: HttpRequest) -> str:
    """Return the name of the budget of the account's own session or device; empty for a stranger."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and digest_of(account) in names_of(user):
        return f"session:{user.pk}"
    return devices.known(request, account)
