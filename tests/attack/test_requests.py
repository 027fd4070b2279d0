"""Requests that a browser can be made to send: forged, redirected, or with headers that lie."""

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from .actors import PASSWORD, Actor, sign_in, user
from .calls import calls
from .expectations import Anyone, NoView, OwnPage
from .routes import all_routes
from .victim import everything, user_victim

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

SAFE = {"GET", "HEAD"}
EVIL = "evil.example"
#: Addresses that browsers read as another site.
ELSEWHERE = [
    f"https://{EVIL}/", f"//{EVIL}", f"///{EVIL}", f"/\\{EVIL}", f"\\\\{EVIL}", f"https:{EVIL}",
    f"/\t/{EVIL}",
    f"http:///{EVIL}", f" //{EVIL}", f"javascript:alert('{EVIL}')", f"https://testserver@{EVIL}/",
]  # fmt: skip


@pytest.mark.parametrize("headers", [{}, {"Origin": f"https://{EVIL}"}, {"Origin": "null"}], ids=str)
async def test_forged_requests_of_a_signed_in_owner_change_nothing(headers: dict[str, str]):
    """Every unsafe method by cookie needs the token of the page: the owner's own ids, without it."""
    victim = await sync_to_async(user_victim)()
    client = AsyncClient(enforce_csrf_checks=True)
    client.cookies = (await sync_to_async(sign_in)(victim.user)).cookies
    before = await sync_to_async(everything)()
    for call in calls(victim):
        if call.route.method in SAFE or isinstance(call.row, Anyone | NoView):
            continue
        response = await call.send(Actor(client), **headers)
        refused = response.status_code in (403, 405) or (response.status_code == 302 and not headers)
        assert refused, f"{call.route}: {response.status_code}"
    assert set(await sync_to_async(everything)()) == set(before)


@pytest.mark.parametrize("signed_in", [False, True])
def test_no_address_redirects_to_another_site(signed_in: bool):
    """With `next` in the address and in the form, also after a successful sign-in."""
    client = Client()
    if signed_in:
        client.cookies = user().client.cookies
    else:
        user()
    pages = {one for one in all_routes() if not one.parameters and not one.pattern.startswith("api/")}
    for route in sorted(pages):
        if "sign-out" in route.pattern or "logout" in route.pattern:
            continue
        for target in ELSEWHERE:
            fields = {"next": target} | (
                {"username": "mallory", "password": PASSWORD} if not signed_in else {}
            )
            address = route.path({})
            response = (
                client.get(address, fields)
                if route.method == "GET"
                else client.post(f"{address}?{_query(target)}", fields)
            )
            _check(str(route), target, response.headers.get("Location", "/"))
            if not signed_in:
                client = Client()


def _query(target: str) -> str:
    from urllib.parse import urlencode

    return urlencode({"next": target})


def _check(route: str, target: str, location: str) -> None:
    path = location.partition("?")[0]
    assert location.startswith("/"), f"{route} with next={target!r} leads to {location}"
    assert EVIL not in path, f"{route} with next={target!r} leads to {location}"
    assert not path.startswith(("//", "/\\")), f"{route} with next={target!r} leads to {location}"


async def test_another_host_name_is_refused_or_unused(settings: Any):
    """S6: no answer contains a name that the caller chose, in whatever header."""
    settings.ALLOWED_HOSTS = ["testserver"]
    victim = await sync_to_async(user_victim)()
    client = await sync_to_async(sign_in)(victim.user)
    lies = {
        "X-Forwarded-Host": EVIL,
        "X-Forwarded-Server": EVIL,
        "X-Original-Url": f"/{EVIL}",
        "Forwarded": f"host={EVIL}",
        "X-Forwarded-Proto": "https",
    }
    for call in calls(victim):
        if call.route.method != "GET" or not isinstance(call.row, OwnPage):
            continue
        response = await call.send(Actor(client), **lies)
        content = b"" if response.streaming else response.content
        assert EVIL.encode() not in content, call.route
        assert EVIL not in str(response.headers), call.route
        refused = await call.send(Actor(client), Host=EVIL)
        assert refused.status_code == 400, f"{call.route} answers to another host name"
        assert EVIL.encode() not in refused.content
