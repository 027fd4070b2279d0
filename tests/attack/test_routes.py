"""Every actor against every address, with the ids of a victim in every parameter."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from queueing.control.operator_action import OPERATE

from .actors import ACTORS, Actor, sign_in, staff
from .calls import Call, body_of, calls, calls_of, is_refusal
from .expectations import ROUTES, Anyone, Owner
from .routes import Route
from .victim import MARK, Victim, everything, user_victim, visitor_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ALL = ACTORS | {"operator": lambda: staff(OPERATE)}


@pytest.fixture(autouse=True)
def mail(mail_server: Any) -> None:
    """A site with all its pages: those that need a mail server too."""


def complaints(call: Call, actor: Actor, response: Any, body: bytes) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    if response.status_code >= 500 and call.path != "/readyz":
        yield "an error of the server"
    reads_all = actor.is_superuser and call.path.startswith("/admin/")
    if not reads_all and (MARK.encode() in body or MARK in str(response.headers)):
        yield "shows something of the victim"
    if not isinstance(call.row, Anyone) and not {"no-store", "private"} <= set(
        response["Cache-Control"].split(", ")
    ):
        yield "may be stored"
    if not call.row.may(actor):
        if not is_refusal(response):
            yield "is not refused"
    elif call.names_objects and call.route.pattern.startswith("api/"):
        if response.status_code != 404:
            yield "does not answer 404 for an object of another owner"
    elif response.status_code in (401, 403) or _asks_to_sign_in(response):
        yield "is refused"


def _asks_to_sign_in(response: Any) -> bool:
    return bool(response.status_code == 302 and is_refusal(response))


async def tried(call: Call, actor: Actor) -> list[str]:
    """Send one call, and return what is wrong with the answer."""
    response = await call.send(actor)
    body = await asyncio.wait_for(body_of(response), 10)
    wrong = complaints(call, actor, response, body)
    return [f"{call.route.method} {call.path} {one}: {response.status_code} {body[:200]!r}" for one in wrong]


#: Variants of a right that has ended.
_SLOW = {
    "revoked_token", "token_of_deactivated_user", "token_of_erased_user", "session_of_erased_user",
    "session_of_erased_visitor",
}  # fmt: skip


def _parameters() -> list[Any]:
    return [pytest.param(name, marks=[pytest.mark.slow] if name in _SLOW else []) for name in ALL]


@pytest.mark.parametrize("victim_of", [user_victim, visitor_victim], ids=["user", "visitor"])
@pytest.mark.parametrize("actor", _parameters())
async def test_actor_reaches_nothing_of_a_victim(actor: str, victim_of: Callable[[], Victim]):
    if victim_of is visitor_victim and actor not in ("stranger", "visitor", "user"):
        pytest.skip("an owner is an owner: the other actors meet one victim")
    victim = await sync_to_async(victim_of)()
    one = await sync_to_async(ALL[actor])()
    victims = await sync_to_async(victim.rows)()
    refused = [call for call in calls(victim) if not call.row.may(one)]
    allowed = [call for call in calls(victim) if call.row.may(one)]
    before = await sync_to_async(everything)()
    assert not [complaint for call in refused for complaint in await tried(call, one)]
    changed = set(before) ^ set(await sync_to_async(everything)())
    assert not changed, f"one of these changed something: {[str(call.route) for call in refused]}"
    assert not [complaint for call in allowed for complaint in await tried(call, one)]
    if not (one.is_superuser or OPERATE in one.permissions):  # operators may stop everybody's jobs
        assert await sync_to_async(victim.rows)() == victims, "what is the victim's has changed"


#: The victim's thread is with another companion. What they do is the same.
_OTHER_COMPANIONS = {"api/corporate", "api/emotional", "api/culture"}
OWNERS = [
    (pattern, method)
    for pattern, methods in ROUTES.items()
    for method, row in methods.items()
    if isinstance(row, Owner) and pattern not in _OTHER_COMPANIONS
]


@pytest.mark.parametrize(("pattern", "method"), OWNERS)
async def test_owner_reaches_what_a_stranger_does_not(pattern: str, method: str):
    """The same call with the same ids, by their owner: else a refusal would prove nothing."""
    victim = await sync_to_async(user_victim)()
    client = await sync_to_async(sign_in)(victim.user)
    response = await calls_of(Route(method, pattern), victim)[0].send(Actor(client))
    assert response.status_code in (200, 201, 202, 204), response.content
    if method == "GET" and pattern not in _WITHOUT_TEXT:
        assert MARK.encode() in await body_of(response)


#: Operations that tell nothing of what their owner wrote.
_WITHOUT_TEXT = {"api/usage", "api/connection", "api/jobs/<job_id>"}
