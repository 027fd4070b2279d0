"""The gate: in every mode, every address, message and token of those who may not come is refused."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from chat.accounts import blocking
from chat.accounts.access import blocks, gate, tokens
from chat.accounts.access.middleware import gate as gate_middleware
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.models import Block
from queueing.api import UNFINISHED, Job

from .actors import Actor, sign_in, stranger, superuser, token_of, user, visitor
from .calls import Call, body_of, calls
from .expectations import Anyone, NoView
from .test_ending_rights import OPENS, _prepared, event_stream, frequent_checks  # noqa: F401  (a fixture)
from .test_sockets import handshake
from .victim import everything, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "mail_server")]

REASON = "You have sent the same text a hundred times."
#: Addresses of pages that everybody needs: to sign in and out.
SIGNING_IN = {
    "account/sign-in/",
    "account/sign-in/passkey/",
    "account/sign-out/",
    "account/second-factor/code/",
    "admin/login/",
    "admin/logout/",
}
SIGNING_UP = {
    "account/sign-up/",
    "account/sign-up/code/",
    "account/reset/",
    "account/reset/sent/",
    "account/reset/done/",
    r"account/^reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
}
#: Everybody may have and erase the own data.
OWN_DATA = {
    "account/export/",
    "account/erase/",
    "account/confirm/",
    "account/second-factor/confirm/",
    "account/second-factor/passkeys/confirm/",
}
#: They check a secret of the operator themselves.
OF_OPERATORS = {"metrics"}


@pytest.fixture(autouse=True)
def fresh_blocks() -> Iterator[None]:
    blocks.read_again()
    yield
    blocks.read_again()


async def test_gate_whose_blocks_grow_old_while_it_is_asked_still_answers(monkeypatch):
    await sync_to_async(blocks.current)()
    times = chain([blocks._read_at + 0.9], repeat(blocks._read_at + 1.1))
    monkeypatch.setattr(blocks, "time", SimpleNamespace(monotonic=lambda: next(times)))
    assert [await gate.may_refuse() for _ in range(2)] == [False, False]


def guarded(open_to_all: set[str]) -> list[Call]:
    """Return the calls that the gate has to refuse."""
    return [
        call
        for call in calls(user_victim())
        if not isinstance(call.row, Anyone | NoView)
        and call.route.pattern not in SIGNING_IN | OF_OPERATORS | open_to_all
        and not call.route.pattern.startswith("admin/(?P<url>")
    ]


async def check_refused(actor: Actor, found: list[Call], is_refused: Callable[[Any, bytes], bool]) -> None:
    before = await sync_to_async(everything)()
    for call in found:
        response = await call.send(actor)
        body = await asyncio.wait_for(body_of(response), 10)
        assert is_refused(response, body), f"{call.route}: {response.status_code} {body[:300]!r}"
        assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
    assert set(await sync_to_async(everything)()) == set(before), "a refused call has changed something"


def says_blocked(response: Any, body: bytes) -> bool:
    """Return whether an answer says that its reader is blocked, and why."""
    return response.status_code == 403 and REASON in body.decode()


def by_owner(actor: Actor) -> str:
    if actor.user:
        return f"u:{actor.user.pk}"
    from chat.accounts.access.owners import owner_of_session

    from .victim import stored_session

    return str(owner_of_session(stored_session(actor.client.cookies["sessionid"].value)))


def by_network(actor: Actor) -> str:
    return "127.0.0.0/24"


ACTORS = {"visitor": visitor, "user": user, "token": token_of("read", "chat", "analytics")}


@pytest.mark.parametrize("who", [by_owner, by_network], ids=["owner", "network"])
@pytest.mark.parametrize("name", ACTORS)
async def test_blocked_reaches_nothing_and_reads_why(name: str, who: Callable[[Actor], str]):
    actor = await sync_to_async(ACTORS[name])()
    found = await sync_to_async(guarded)(OWN_DATA)
    if not actor.is_browser:
        found = [call for call in found if call.route.pattern.startswith("api/")]
    target = await sync_to_async(who)(actor)
    await sync_to_async(blocking.block)(target, reason=REASON, actor="operator")
    await check_refused(actor, found, says_blocked)
    assert not (await handshake(actor, "/ws/").connect(timeout=10))[0]


async def test_stranger_from_a_blocked_network_reaches_nothing():
    actor, found = stranger(), await sync_to_async(guarded)(OWN_DATA)
    await sync_to_async(blocking.block)("127.0.0.1", reason=REASON, actor="operator")
    await check_refused(actor, found, says_blocked)


async def test_blocked_user_may_have_and_erase_the_own_data():
    actor = await sync_to_async(user)()
    await sync_to_async(blocking.block)("mallory", reason=REASON, actor="operator")
    for path in ("/account/export/", "/account/erase/", "/care", "/account/sign-out/", "/api/care"):
        assert (await actor.client.get(path)).status_code == 200, path


async def test_operator_in_a_blocked_network_is_not_locked_out():
    root = await sync_to_async(superuser)()
    await sync_to_async(blocking.block)("127.0.0.0/8", reason=REASON, actor="operator")
    for path in ("/", "/admin/", "/account/", "/api/threads"):
        assert (await root.client.get(path)).status_code == 200, path
    tab = handshake(root, "/ws/")
    assert (await tab.connect(timeout=10))[0]
    await tab.disconnect()
    assert (await stranger().client.get("/account/sign-in/")).status_code == 200


@pytest.mark.parametrize("make", [stranger, visitor], ids=["stranger", "visitor"])
async def test_site_for_users_lets_no_visitor_in(settings: Any, make: Callable[[], Actor]):
    settings.REQUIRE_SIGN_IN = True
    actor = await sync_to_async(make)()
    found = await sync_to_async(guarded)(SIGNING_UP)

    def asks_to_sign_in(response: Any, body: bytes) -> bool:
        if response.status_code == 302:
            return bool(response["Location"].startswith(("/account/sign-in/", "/admin/login/")))
        return response.status_code == 401 and b"sign_in_required" in body

    await check_refused(actor, found, asks_to_sign_in)
    assert not (await handshake(actor, "/ws/").connect(timeout=10))[0]
    for path in ("/account/sign-in/", "/account/sign-up/", "/account/reset/", "/care", "/api/companions"):
        assert (await actor.client.get(path)).status_code == 200, path


@pytest.mark.parametrize("name", ["user", "token"])
async def test_site_for_users_is_open_for_users(settings: Any, name: str):
    settings.REQUIRE_SIGN_IN = True
    actor = await sync_to_async(ACTORS[name])()
    response = await actor.client.get("/api/threads", headers=actor.headers)
    assert response.status_code == 200
    tab = handshake(actor, "/ws/")
    assert (await tab.connect(timeout=10))[0]
    await tab.disconnect()


def test_names_of_open_pages_exist():
    """A page that is renamed would silently be closed or open."""
    from django.urls import get_resolver

    names = set()
    for pattern in get_resolver().url_patterns:
        names |= {getattr(one, "name", None) for one in getattr(pattern, "url_patterns", [pattern])}
    used = gate_middleware._FOR_ALL | gate_middleware._SIGNING_IN | gate_middleware._SIGNING_UP
    used |= gate_middleware._OWN_DATA
    assert used - names <= {"admin:login", "admin:logout"}


# --- what is open ends ---

OPENED = [address for address in OPENS if address not in ("ws/queue", "admin/analytics/events.csv")]


@pytest.mark.parametrize("target", ["zqmark-name", "127.0.0.1"], ids=["user", "network"])
async def test_block_closes_everything_that_is_open(target: str):
    victim = await sync_to_async(_prepared)()
    assert victim.user
    await User.objects.filter(pk=victim.user.pk).aupdate(is_staff=False)
    actor = Actor(await sync_to_async(sign_in)(victim.user), user=victim.user)
    waits = [await OPENS[address](actor, victim) for address in OPENED]
    await sync_to_async(blocking.block)(target, reason=REASON, actor="operator")
    for ended in waits:
        await ended()
    if target != "127.0.0.1":
        unfinished = Job.objects.filter(owner=victim.owner, state__in=UNFINISHED)
        assert not await unfinished.aexists(), "what waits for its answer takes no place in line"


async def test_block_closes_what_a_token_has_opened():
    victim = await sync_to_async(_prepared)()
    assert victim.user
    await User.objects.filter(pk=victim.user.pk).aupdate(is_staff=False)
    _, secret = await sync_to_async(tokens.issue)(victim.user, name="A script", scopes=["read"])
    actor = Actor(headers={"Authorization": f"Bearer {secret}"}, scopes=frozenset({"read"}))
    ended = await event_stream(actor, victim)
    await sync_to_async(blocking.block)("zqmark-name", reason=REASON, actor="operator")
    await ended()


async def test_block_by_another_process_closes_a_socket_within_the_check(monkeypatch: pytest.MonkeyPatch):
    """The other process tells nothing to this one: the row is found."""
    victim = await sync_to_async(_prepared)()
    assert victim.user
    await User.objects.filter(pk=victim.user.pk).aupdate(is_staff=False)
    actor = Actor(await sync_to_async(sign_in)(victim.user), user=victim.user)
    ended = await OPENS["ws/"](actor, victim)
    await Block.objects.acreate(owner=victim.owner, reason=REASON, created_by="operator")
    await ended()
    monkeypatch.undo()
    assert OpenSockets.every + blocks._FRESH < 5


async def test_block_that_ends_or_is_lifted_lets_people_in_again():
    actor = await sync_to_async(user)()
    row = await sync_to_async(blocking.block)("mallory", reason=REASON, actor="operator", days=1)
    refused = await actor.client.get("/api/threads")
    assert refused.json()["code"] == "blocked"
    assert 0 < int(refused["Retry-After"]) <= 86_400
    assert await sync_to_async(blocking.lift)(row, actor="operator")
    assert (await actor.client.get("/api/threads")).status_code == 200
    assert not await sync_to_async(blocking.lift)(row, actor="operator"), "it is lifted once"
    row = await Block.objects.aget()
    assert (row.lifted_by, row.is_active) == ("operator", False)
