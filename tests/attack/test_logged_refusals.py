"""Each refusal is a line of the log that says who was refused, from where, and what (ASVS 16.2.1, 16.3.2)."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from buddy.web.who import REFUSED
from chat.accounts.access.open_sockets import OpenSockets
from chat.accounts.access.owners import owner_of_session
from queueing.values.log_lines import LineFormatter, log_ids
from tests.support.valkey import eventually

from .actors import ACTORS, PASSWORD, Actor, token_of
from .calls import body_of, calls
from .test_sockets import MESSAGES, SOCKETS, attack, handshake, heard_after
from .victim import MARK, stored_session, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey", "mail_server")]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """The lines as an operator reads them."""
    caplog.handler.setFormatter(LineFormatter("{name}: {message}", style="{"))
    caplog.set_level(logging.WARNING)
    return caplog


def lines_of(log: pytest.LogCaptureFixture, name: str) -> list[str]:
    """Return the lines with this id of a request."""
    return [line for line in log.text.splitlines() if re.search(rf"request={name}\b", line)]


def owner_of(one: Actor) -> str:
    """Return the owner whom the log should name; empty for a stranger."""
    if one.user:
        return f"u:{one.user.pk}"
    key = one.client.cookies.get("sessionid")
    return owner_of_session(stored_session(key.value)) if key else ""


def is_named(one: Actor, owner: str, must_name: bool, line: str) -> bool:
    """Return whether the line names the address and the owner. Pages ignore tokens, and so does no page."""
    known = owner or ("u:[0-9]+" if one.has_invalid_token else "(s:.*)?")
    found = re.search(r" owner=([us]:[^\s\]]+)", line)
    is_right = (
        re.fullmatch(known, found[1]) if found else not (must_name and (owner or one.has_invalid_token))
    )
    return bool(is_right) and "address=127.0.0.1" in line


@pytest.mark.parametrize("actor", ["stranger", "visitor", "user", "staff", "token_read", "expired_token"])
async def test_refused_request_is_logged_with_its_sender_address_and_target(actor: str, log: Any):
    victim = await sync_to_async(user_victim)()
    one = await sync_to_async(ACTORS[actor])()
    owner = await sync_to_async(owner_of)(one)
    wrong = []
    for number, call in enumerate(calls(victim)):
        with log_ids(request=f"r{number}"):
            response = await call.send(one)
        await asyncio.wait_for(body_of(response), 10)
        if response.status_code not in REFUSED:
            continue
        line = "\n".join(lines_of(log, f"r{number}")[-1:])
        must_name = one.is_browser or (call.path.startswith("/api/") and response.status_code != 404)
        if not (is_named(one, owner, must_name, line) and call.path.partition("?")[0] in line):
            wrong.append(f"{call.route.method} {call.path} {response.status_code}: {line}")
        log.clear()
    assert not wrong
    assert PASSWORD not in log.text
    assert MARK not in log.text


@pytest.mark.parametrize("path", SOCKETS)
async def test_refused_socket_is_logged_with_its_sender_and_address(path: str, log: Any):
    path = path or "ws/nothing"
    one = await sync_to_async(ACTORS["user"])()
    tab = handshake(one, f"/{path}")
    if path == "ws/":
        tab.scope["headers"] = [*tab.scope["headers"], (b"authorization", b"Bearer buddy_wrong")]
    assert not (await tab.connect(timeout=10))[0]
    assert re.search(rf"Forbidden: /{path} \[request=[0-9a-f]{{32}} .*address=127.0.0.1\]", log.text), (
        log.text
    )
    assert one.user
    assert path != "ws/queue" or f"owner=u:{one.user.pk} " in log.text


async def test_refused_message_of_a_socket_is_logged_with_its_sender(log: Any):
    victim = await sync_to_async(user_victim)()
    for make in (ACTORS["user"], token_of("read")):
        one = await sync_to_async(make)()
        tab = handshake(one, "/ws/")
        assert (await tab.connect(timeout=10))[0]
        await tab.receive_until("hello")
        for message in _messages(victim):
            event = await heard_after(tab, message, {"error"})
            if event["code"] in ("not_found", "insufficient_scope"):
                said = f"Forbidden: {message['type']} ({event['code']})"
                assert one.user
                assert re.search(rf"{re.escape(said)} \[.*owner=u:{one.user.pk}\b", log.text), (
                    said,
                    log.text,
                )
            log.clear()
        await tab.disconnect()


def _messages(victim: Any) -> Iterator[dict[str, Any]]:
    for kind in MESSAGES:
        message = attack(kind, victim)
        if MARK not in json.dumps(message) and message["type"] not in ("ping", "pong", "job:render"):
            yield message


async def test_lines_of_what_serves_all_sockets_name_none_of_their_owners(log: Any, monkeypatch: Any):
    """The first socket starts the tasks of the process: their lines are not its owner's."""

    async def fail(self: OpenSockets) -> None:
        raise RuntimeError

    monkeypatch.setattr(OpenSockets, "every", 0.05)
    monkeypatch.setattr(OpenSockets, "tick", fail)
    one = await sync_to_async(ACTORS["user"])()
    tab = handshake(one, "/ws/")
    assert (await tab.connect(timeout=10))[0]
    await eventually(lambda: "a round of OpenSockets failed" in log.text, "a line of the watch")
    line = next(line for line in log.text.splitlines() if "a round of OpenSockets failed" in line)
    assert line.endswith("continuing"), line
    await tab.disconnect()
