"""The calls of an attacker: each route with the victim's ids in every parameter."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from .actors import Actor
from .expectations import FILES, ROUTES, VALUES, Row
from .routes import Route, all_routes
from .victim import Victim

#: Beginnings of the addresses to which a caller is sent that is not signed in.
_SIGN_IN = ("/account/sign-in/", "/admin/login/")


@dataclass(frozen=True)
class Call:
    """A request to one address."""

    route: Route
    row: Row
    path: str
    body: dict[str, Any]
    form: dict[str, Any]
    names_objects: bool

    async def send(self, actor: Actor, **headers: str) -> Any:
        """Return the response."""
        client, headers = actor.client, actor.headers | headers
        if self.form:
            files = {name: FILES[value]() for name, value in self.form.items() if name == "file"}
            return await client.post(self.path, self.form | files, headers=headers)
        body = json.dumps(self.body) if self.body else ""
        return await client.generic(
            self.route.method, self.path, body, content_type="application/json", headers=headers
        )


def calls(victim: Victim) -> Iterator[Call]:
    """Yield a call of every route and method. Those that end the actor's session come last."""
    found = [call for route in all_routes() for call in calls_of(route, victim)]
    yield from sorted(found, key=lambda call: call.row.ends_session)


def calls_of(route: Route, victim: Victim) -> list[Call]:
    """Return one call of a route for each combination of values that name no object."""
    row = ROUTES[route.pattern][route.method]
    ids = victim.ids | {name: victim.ids[other] for name, other in row.ids.items()}
    parameters = route.parameters
    choices = [VALUES.get(name) or [ids[name]] for name in parameters]
    return [
        Call(
            route,
            row,
            route.path(dict(zip(parameters, values, strict=True))),
            _filled(row.body, ids),
            _filled(row.form, ids),
            row.names_objects or any(name not in VALUES for name in parameters),
        )
        for values in product(*choices)
    ]


def _filled(fields: Any, ids: dict[str, Any]) -> dict[str, Any]:
    return {name: value.format(**ids) if isinstance(value, str) else value for name, value in fields.items()}


def is_refusal(response: Any) -> bool:
    """Return whether the caller may not do this, or it does not exist."""
    if response.status_code in (401, 403, 404, 405):
        return True
    return response.status_code == 302 and response["Location"].startswith(_SIGN_IN)


async def body_of(response: Any) -> bytes:
    """Return the whole body, also of a stream, which must end by itself; of an endless one the beginning."""
    if not response.streaming:
        return bytes(response.content)
    if hasattr(response, "ends_itself"):
        return await _beginning(response)
    return b"".join([piece async for piece in response.streaming_content])


async def _beginning(response: Any) -> bytes:
    """Return an endless stream up to its greeting. As a server does, cancel it when its client goes."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def read() -> None:
        async for piece in response.streaming_content:
            pieces.put_nowait(piece)

    reading = asyncio.ensure_future(read())
    beginning = b""
    while b'hello"' not in beginning:
        beginning += await pieces.get()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return beginning
