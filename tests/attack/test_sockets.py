"""Every message on the sockets with the ids of a victim, and who may open which socket."""

import json
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter

from buddy.asgi import application, sockets
from chat.protocol import client_messages
from tests.chat.browser import ORIGIN, PAGE, Tab

from .actors import ACTORS, Actor
from .victim import MARK, Victim, everything, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

MESSAGES = get_args(client_messages.ClientMessage)
#: What an attacker writes in the fields that name no object.
_FIELDS: dict[str, Any] = {
    "request_id": "r-attack",
    "companion": "travel",
    "messages": [{"role": "user", "content": "Where to?"}],
    "content": "mine",
    "text": None,
    "question": "What is it about?",
    "send": True,
    "t": 1,
}
#: Messages whose answer names nothing of the victim, and those that are not answered at all.
_HARMLESS = {"ping": "pong", "pong": "", "job:render": ""}
#: The codes with which a message about another owner's object is refused.
_REFUSALS = {"not_found", "insufficient_scope", "invalid"}

#: Who may open a socket, by its address. A socket without a row fails the tests.
SOCKETS = {
    "ws/": {"visitor", "user", "staff", "superuser", "token_read", "session_of_erased_visitor"},
    "ws/queue": {"staff", "superuser"},
    "": set(),
}


def type_of(message: Any) -> str:
    """Return the type of a message as clients write it."""
    return str(get_args(message.model_fields["type"].annotation)[0])


def attack(message: Any, victim: Victim) -> dict[str, Any]:
    """Return a message with the victim's id in every field that names an object."""
    found: dict[str, Any] = {"type": type_of(message)}
    for name, info in message.model_fields.items():
        if name == "type":
            continue
        kinds = {info.annotation, *get_args(info.annotation)}
        if kinds & {UUID, client_messages.ThreadKey}:
            found[name] = victim.ids[name]
        elif name in _FIELDS:
            found[name] = _FIELDS[name]
        else:
            assert not info.is_required(), f"{found['type']}: add a value for {name} to _FIELDS in {__file__}"
    to_camel = message.model_config["alias_generator"]
    return {to_camel(name): value for name, value in found.items() if value is not None}


def handshake(actor: Actor, path: str, *, origin: bool = True) -> Tab:
    """Return the socket of an actor."""
    headers = list(PAGE) if origin and actor.is_browser else []
    if cookies := "; ".join(f"{name}={morsel.value}" for name, morsel in actor.client.cookies.items()):
        headers.append((b"cookie", cookies.encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in actor.headers.items()]
    tab = Tab(application, path, headers=headers)
    tab.scope["client"] = ("127.0.0.1", 4711)
    return tab


async def heard_after(tab: Tab, message: dict[str, Any], kinds: set[str]) -> dict[str, Any]:
    """Send a message and return the first event of a kind; no event before may show the victim."""
    await tab.send_to(text_data=json.dumps(message))
    while True:
        event = await tab.receive_event()
        assert MARK not in json.dumps(event), event
        if event["type"] in kinds:
            return event


def test_every_message_type_is_attacked():
    assert MESSAGES, "no types of messages were found"
    assert all(get_origin(one.model_fields["type"].annotation) is Literal for one in MESSAGES)


@pytest.mark.parametrize("actor", ["visitor", "user", "superuser", "token_read"])
async def test_messages_with_ids_of_a_victim_reach_nothing(actor: str):
    victim = await sync_to_async(user_victim)()
    one = await sync_to_async(ACTORS[actor])()
    before = await sync_to_async(everything)()
    tab = handshake(one, "/ws/")
    assert (await tab.connect(timeout=10))[0]
    await tab.receive_until("hello")
    for message in MESSAGES:
        sent = attack(message, victim)
        if sent["type"] not in _HARMLESS:
            event = await heard_after(tab, sent, {"error", *_answers(sent["type"])})
            assert (event["type"], event.get("code") in _REFUSALS) == ("error", True), (sent, event)
    for kind, answer in _HARMLESS.items():
        message = next(one for one in MESSAGES if type_of(one) == kind)
        await tab.send_to(text_data=json.dumps(attack(message, victim)))
        if answer:
            await heard_after(tab, {"type": "ping", "t": 2}, {answer})
    assert (await heard_after(tab, {"type": "ping", "t": 3}, {"pong"}))["type"] == "pong"
    assert set(await sync_to_async(everything)()) == set(before)
    await tab.disconnect()


def _answers(message_type: str) -> set[str]:
    topic = message_type.partition(":")[0]
    return {f"{topic}:{name}" for name in ("queued", "completed", "position", "started", "delta")}


async def test_events_of_a_victim_reach_its_own_sockets_alone():
    """An event of an owner, from the engine or from another tab, is not for other owners."""
    from channels.layers import get_channel_layer

    from queueing.api import events

    victim = await sync_to_async(user_victim)()
    tabs = []
    for name in ("visitor", "user"):
        tab = handshake(await sync_to_async(ACTORS[name])(), "/ws/")
        assert (await tab.connect(timeout=10))[0]
        await tab.receive_until("hello")
        tabs.append(tab)
    event = {"type": "chat:delta", "jobId": victim.ids["job_id"], "text": MARK, "run": 1, "offset": 0}
    message = {"type": "queue.event", "event": event}
    await get_channel_layer().group_send(events.group_of(victim.owner), message)
    for tab in tabs:
        await heard_after(tab, {"type": "ping", "t": 1}, {"pong"})
        await tab.disconnect()


def test_every_socket_has_a_row():
    assert isinstance(sockets, URLRouter)
    found = {str(route.pattern) for route in sockets.routes}
    assert found == set(SOCKETS), f"Correct SOCKETS in {__file__}: who may open {found ^ set(SOCKETS)}"


@pytest.mark.parametrize("path", SOCKETS)
async def test_socket_opens_for_those_of_the_table(path: str):
    """Also a browser whose right has ended opens no socket with it: it is a visitor without a name."""
    for name, make in ACTORS.items():
        tab = handshake(await sync_to_async(make)(), f"/{path}" if path else "/ws/nothing")
        opened = (await tab.connect(timeout=10))[0]
        if name in _AS_VISITORS and path == "ws/":
            hello = (await tab.receive_until("hello"))[0]
            assert hello["owner"].startswith("s:"), (name, hello)
        else:
            assert opened == (name in SOCKETS[path]), f"{name} at {path}"
        await tab.disconnect()
        await sync_to_async(_forget_users)()


#: Browsers that the chat treats as new visitors.
_AS_VISITORS = {"stranger", "session_of_deactivated_staff", "session_of_erased_user"}


def _forget_users() -> None:
    from django.contrib.auth.models import User

    User.objects.all().delete()


@pytest.mark.parametrize("path", ["ws/", "ws/queue"])
@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"http://localhost:1337", b"https://localhost", b"null", b""]
)
async def test_socket_from_another_origin_is_refused(path: str, origin: bytes):
    """Origins are compared whole: another port or scheme is another origin (S7)."""
    one = await sync_to_async(ACTORS["superuser"])()
    tab = handshake(one, f"/{path}")
    tab.scope["headers"] = [pair for pair in tab.scope["headers"] if pair != ORIGIN] + [(b"origin", origin)]
    assert not (await tab.connect(timeout=10))[0]
