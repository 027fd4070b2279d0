"""A right that ends, ends everywhere: each thing that can be opened, by each end of a right (S1, S2)."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.utils import timezone

from chat.accounts.access import tokens
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.access.signed_in import end_sessions
from chat.accounts.models import Token, UserSession
from chat.analytics.models import Event
from chat.analytics.staff_page import export
from chat.models import Message
from queueing.api.sockets import CloseCode
from queueing.dashboard import broadcast

from .actors import Actor, sign_in
from .calls import calls
from .test_sockets import SOCKETS, handshake
from .victim import Victim, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

#: The last words of the long conversation.
_END = b"zqmark last words"
Ended = Callable[[], Awaitable[None]]
#: Seconds within which a test expects an end. The checks of the sockets run much more often here.
_SOON = 15.0


@pytest.fixture(autouse=True)
def frequent_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenSockets, "every", 0.1)
    monkeypatch.setattr(broadcast.Broadcast, "every", 0.1)
    monkeypatch.setattr(broadcast, "_CHECK_INTERVAL", 0.1)
    monkeypatch.setattr(export, "_BATCH_SIZE", 1)


# --- what can be opened: each opener returns a function that waits for the end ---


async def chat_socket(actor: Actor, victim: Victim) -> Ended:
    return await _socket(actor, "/ws/")


async def dashboard_socket(actor: Actor, victim: Victim) -> Ended:
    return await _socket(actor, "/ws/queue")


async def _socket(actor: Actor, path: str) -> Ended:
    tab = handshake(actor, path)
    assert (await tab.connect(timeout=10))[0]

    async def ended() -> None:
        assert await tab.receive_close_code(_SOON) == CloseCode.SESSION_ENDED

    return ended


async def event_stream(actor: Actor, victim: Victim) -> Ended:
    pieces = await _pieces(actor, "/api/connection")
    while b'hello"' not in await anext(pieces):
        pass

    async def ended() -> None:
        async with asyncio.timeout(_SOON):
            last = [piece async for piece in pieces][-1]
        assert json.loads(last.removeprefix(b"data: ")) == {"type": "close", "code": CloseCode.SESSION_ENDED}

    return ended


async def job_events(actor: Actor, victim: Victim) -> Ended:
    pieces = await _pieces(actor, f"/api/jobs/{victim.ids['job_id']}/events")

    async def ended() -> None:
        async with asyncio.timeout(_SOON):
            async for _ in pieces:
                pass

    return ended


async def export_in_progress(actor: Actor, victim: Victim) -> Ended:
    pieces = await _pieces(actor, "/account/export/")
    received = await anext(pieces)

    async def ended() -> None:
        await _checked()
        rest = b"".join([piece async for piece in pieces])
        with pytest.raises(zipfile.BadZipFile):  # the end of the file never came
            zipfile.ZipFile(io.BytesIO(received + rest))

    return ended


async def events_in_progress(actor: Actor, victim: Victim) -> Ended:
    pieces = await _pieces(actor, "/admin/analytics/events.csv")
    await anext(pieces)

    async def ended() -> None:
        await _checked()
        assert len([piece async for piece in pieces]) <= 1, "the download went on"

    return ended


async def transcript_in_progress(actor: Actor, victim: Victim) -> Ended:
    pieces = await _pieces(actor, f"/api/threads/{victim.ids['thread_id']}/transcript.md")
    await anext(pieces)

    async def ended() -> None:
        await _checked()
        assert not [piece async for piece in pieces if _END in piece], "the download went on"

    return ended


async def _checked() -> None:
    """Return when all streams have been checked after what has just ended."""
    await OpenSockets.for_running_loop().tick()


async def _pieces(actor: Actor, path: str) -> AsyncIterator[bytes]:
    response = await actor.client.get(path, headers=actor.headers)
    assert response.status_code == 200
    return aiter(response.streaming_content)


Opener = Callable[[Actor, Victim], Awaitable[Ended]]
#: By the address that each opens: every socket, and every response in pieces.
OPENS: dict[str, Opener] = {
    "ws/": chat_socket,
    "ws/queue": dashboard_socket,
    "api/connection": event_stream,
    "api/jobs/<job_id>/events": job_events,
    "account/export/": export_in_progress,
    "api/threads/<thread_id>/transcript.md": transcript_in_progress,
    "admin/analytics/events.csv": events_in_progress,
}
BY_TOKEN = ("ws/", "api/connection", "api/jobs/<job_id>/events")
BY_RIGHTS = ("ws/queue", "admin/analytics/events.csv")


# --- how a right ends ---


async def signed_out(actor: Actor, user: User) -> None:
    await actor.client.alogout()


async def ended_from_another_browser(actor: Actor, user: User) -> None:
    await sync_to_async(end_sessions)(UserSession.objects.filter(user=user))


async def past_its_end(actor: Actor, user: User) -> None:
    """It was not used for too long, or is too old: `tests/chat/accounts/access/test_signed_in.py`."""
    await Session.objects.aupdate(expire_date=timezone.now() - timedelta(seconds=1))


async def password_changed(actor: Actor, user: User) -> None:
    user.set_password("another-4711")
    await user.asave()


async def deactivated(actor: Actor, user: User) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_active=False)


async def deleted(actor: Actor, user: User) -> None:
    await user.adelete()


async def no_longer_staff(actor: Actor, user: User) -> None:
    await User.objects.filter(pk=user.pk).aupdate(is_staff=False)


async def permission_taken(actor: Actor, user: User) -> None:
    await user.user_permissions.aclear()


async def token_revoked(actor: Actor, user: User) -> None:
    await Token.objects.all().adelete()


async def token_expired(actor: Actor, user: User) -> None:
    await Token.objects.aupdate(expires_at=timezone.now() - timedelta(seconds=1))


BY_SESSION = tuple(OPENS)
ENDS: dict[Any, tuple[str, ...]] = {
    signed_out: BY_SESSION,
    ended_from_another_browser: BY_SESSION,
    past_its_end: BY_SESSION,
    password_changed: BY_SESSION,
    deactivated: BY_SESSION,
    deleted: BY_SESSION,
    no_longer_staff: BY_RIGHTS,
    permission_taken: ("admin/analytics/events.csv",),
}
TOKEN_ENDS = (password_changed, deactivated, deleted, token_revoked, token_expired)


def _prepared() -> Victim:
    """Return a member of staff with a conversation that needs many pieces, and events to download."""
    victim = user_victim()
    assert victim.user
    User.objects.filter(pk=victim.user.pk).update(is_staff=True)
    victim.user = get_user_model().objects.get(pk=victim.user.pk)
    permission = Permission.objects.get(content_type__app_label="analytics", codename="view_event")
    victim.user.user_permissions.add(permission)
    Message.objects.filter(pk=victim.ids["reply_id"]).update(
        content=f"{Random(1).randbytes(300_000).hex()} {_END.decode()}"
    )
    for _ in range(6):
        Event.objects.create(at=timezone.now(), name="message.sent")
    return victim


async def _check(end: Any, actor: Actor, victim: Victim, addresses: tuple[str, ...]) -> None:
    waits = [await OPENS[address](actor, victim) for address in addresses]
    await end(actor, victim.user)
    for ended in waits:
        await ended()


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_right_that_ends_closes_everything_that_a_session_opened(end: Any):
    victim = await sync_to_async(_prepared)()
    actor = Actor(await sync_to_async(sign_in)(victim.user), user=victim.user)
    await _check(end, actor, victim, ENDS[end])


@pytest.mark.parametrize("end", TOKEN_ENDS, ids=lambda end: end.__name__)
async def test_right_that_ends_closes_everything_that_a_token_opened(end: Any):
    victim = await sync_to_async(_prepared)()
    _, secret = await sync_to_async(tokens.issue)(victim.user, name="A script", scopes=["read"])
    actor = Actor(headers={"Authorization": f"Bearer {secret}"}, scopes=frozenset({"read"}))
    await _check(end, actor, victim, BY_TOKEN)


async def test_everything_that_stays_open_is_in_the_table():
    """Each address that answers in pieces, and each socket."""
    victim = await sync_to_async(_prepared)()
    await User.objects.filter(pk=victim.user.pk).aupdate(is_superuser=True)  # type: ignore[union-attr]
    actor = Actor(await sync_to_async(sign_in)(victim.user))
    streams = {address for address in SOCKETS if address}
    for call in calls(victim):
        if call.route.method == "GET":
            response = await call.send(actor)
            if response.streaming:
                streams.add(call.route.pattern)
                response.close()
    assert streams == set(OPENS), f"Add an opener to OPENS in {__file__} for {streams ^ set(OPENS)}"


def test_checks_of_open_sockets_are_frequent_enough(monkeypatch: pytest.MonkeyPatch):
    """The longest time until an end: a check of all keys, or a round of the dashboard after its interval."""
    monkeypatch.undo()
    assert OpenSockets.every <= 4
    assert broadcast._CHECK_INTERVAL + broadcast.Broadcast.every <= 4
