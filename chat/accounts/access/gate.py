"""The gate: the one place that decides who may use the site. Pages, the API, sockets and tokens all ask it.

The middleware (`gate_middleware`) asks for pages, `owners` for sessions at the API and at sockets, `tokens`
for tokens, and `open_sockets` every few seconds for what is open.

Staff always pass, so no operator is locked out. What tells nothing of a person, such as the help lines, the
state of the queues and the description of the API, does not ask.
"""

from math import ceil

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat.accounts import texts
from chat.accounts.models import Block
from chat.errors import ChatError

from . import blocks


class Blocked(ChatError):
    """The owner or the network is blocked."""

    status = 403

    def __init__(self, block: Block) -> None:
        super().__init__("blocked", texts.blocked(block.reason, block.ends_at))
        self.block = block
        if block.ends_at:
            self.retry_after = ceil((block.ends_at - timezone.now()).total_seconds())


class SignInRequired(ChatError):
    """Only users may use this site."""

    status = 401

    def __init__(self) -> None:
        super().__init__("sign_in_required", texts.SIGN_IN_REQUIRED)


def check(owner: str, address: str) -> None:
    """Raise `Blocked` or `SignInRequired` if the owner may not use the site from this `client_address`.

    Blocks. An empty owner is a visitor without a session.
    """
    if (block := blocks.current().find(owner, address)) and not _is_staff(owner):
        raise Blocked(block)
    if settings.REQUIRE_SIGN_IN and not _is_user(owner):
        raise SignInRequired


def is_blocked(owner: str, address: str) -> bool:
    """Return whether `check` would raise `Blocked`. Blocks."""
    return blocks.current().find(owner, address) is not None and not _is_staff(owner)


async def may_refuse() -> bool:
    """Return whether `check` can refuse anything at the moment."""
    if settings.REQUIRE_SIGN_IN:
        return True
    known = blocks.known()
    return bool(await sync_to_async(blocks.current)() if known is None else known)


def _is_user(owner: str) -> bool:
    return owner.startswith("u:")


def _is_staff(owner: str) -> bool:
    users = get_user_model()._default_manager
    return _is_user(owner) and users.filter(pk=owner[2:], is_staff=True, is_active=True).exists()
