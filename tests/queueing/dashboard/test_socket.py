"""The socket: who may open it, what each is sent, and that nobody is sent what changed for somebody else."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import AsyncClient

from queueing.submit import submit
from tests.queueing.asgi import application

from .conftest import failed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

ORIGIN = (b"origin", b"http://localhost")


class Tab(WebsocketCommunicator):
    """An open page, which reads what it is sent."""

    parts: dict[str, str]

    async def hear(self) -> dict[str, Any]:
        """The next round."""
        said = json.loads(await self.receive_from(10))
        self.parts |= said["parts"]
        await self.say(seen=said["round"])
        return said

    async def say(self, **message: Any) -> None:
        await self.send_to(text_data=json.dumps(message))

    async def hear_of(self, name: str, text: str) -> None:
        """Rounds until the part says so; a page that never does fails with a timeout."""
        while text not in self.parts.get(name, ""):
            await self.hear()

    async def closed_with(self) -> int:
        while (output := await self.receive_output(15))["type"] != "websocket.close":
            pass
        return output["code"]


async def open_tab(user: Any, query: str = "", client: AsyncClient | None = None) -> tuple[Tab, bool]:
    client = client or AsyncClient()
    if user:
        await client.aforce_login(user)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    tab = Tab(application, f"/ws/queue{query}", headers=[ORIGIN, (b"cookie", cookies.encode())])
    tab.parts = {}
    connected, _ = await tab.connect(timeout=10)
    return tab, connected


async def test_socket_without_staff_session_is_refused(django_user_model):
    bob = await django_user_model.objects.acreate_user("bob")
    for user in (None, bob):
        _, connected = await open_tab(user)
        assert not connected


async def test_socket_sends_changed_counts(staff):
    tab, connected = await open_tab(await sync_to_async(staff)("view_job"), "?queue=test")
    assert connected
    await tab.hear_of("queues", "<dt>waiting</dt><dd>0</dd>")
    await sync_to_async(submit)("test.noop", {})
    await tab.hear_of("queues", "<dt>waiting</dt><dd>1</dd>")
    assert 'id="h-detail">test<' in tab.parts["queue_detail"]
    await tab.disconnect()


async def test_socket_opens_without_redis_and_shows_its_return(staff, valkey):
    valkey.stop()
    tab, connected = await open_tab(await sync_to_async(staff)())
    assert connected
    await tab.hear_of("warnings", "Redis is unavailable")
    await sync_to_async(valkey.start)()
    await tab.hear_of("warnings", "No worker is running")
    await tab.disconnect()


async def test_unchanged_parts_are_not_sent_again(staff):
    tab, _ = await open_tab(await sync_to_async(staff)("view_job"))
    assert set((await tab.hear())["parts"]) >= {"queues", "plots", "failures", "workers", "audit"}
    again = (await tab.hear())["parts"]
    assert not set(again) & {"plots", "failures", "workers", "audit"}
    await tab.disconnect()


async def test_parts_depend_on_permissions(staff):
    await sync_to_async(failed)(2)
    counts, _ = await open_tab(await sync_to_async(staff)(name="counts"))
    reader, _ = await open_tab(await sync_to_async(staff)("view_job", "view_contents", name="reader"))
    operator, _ = await open_tab(await sync_to_async(staff)("operate_queue", name="operator"), "?queue=test")
    for tab in (counts, reader, operator):
        await tab.hear()
    assert "failures" not in counts.parts
    assert "SECRET" in reader.parts["failures"]
    assert "SECRET" not in operator.parts["failures"]
    assert "data-ask" in operator.parts["queue_detail"]
    assert "data-ask" not in json.dumps(reader.parts)
    for tab in (counts, reader, operator):
        await tab.disconnect()


async def test_selection_changes_parts_and_invalid_frames_are_ignored(staff):
    tab, _ = await open_tab(await sync_to_async(staff)())
    await tab.hear()
    for text in ("{", "[]", '{"show": 1}', '{"seen": "x"}', '{"show": {"queue": ["x"]}}', "x" * 10_000):
        await tab.send_to(text_data=text)
    await tab.say(show={"queue": "test", "span": "24h"})
    await tab.hear_of("queue_detail", 'id="h-detail">test<')
    await tab.hear_of("plots", "Ten minutes")
    await tab.disconnect()


async def test_changed_permission_changes_buttons_of_open_page(staff):
    user = await sync_to_async(staff)("operate_queue")
    tab, _ = await open_tab(user, "?queue=test")
    await tab.hear_of("queue_detail", "data-ask")
    await user.user_permissions.aclear()
    while "data-ask" in tab.parts["queue_detail"]:
        await tab.hear()
    await user.user_permissions.aadd(await Permission.objects.aget(codename="operate_queue"))
    await tab.hear_of("queue_detail", "data-ask")
    await tab.disconnect()


@pytest.mark.parametrize("how", ["signed out", "no longer staff", "inactive", "new password"])
async def test_socket_is_closed_with_4401_when_session_ends(staff, how):
    user = await sync_to_async(staff)("view_job")
    tab, _ = await open_tab(user)
    await tab.hear()
    if how == "signed out":
        await Session.objects.all().adelete()
    elif how == "new password":
        user.set_password("another")
        await user.asave()
    else:
        user.is_staff, user.is_active = how != "no longer staff", how != "inactive"
        await user.asave()
    assert await tab.closed_with() == 4401


@pytest.mark.slow
async def test_slow_client_is_sent_nothing_until_it_reads(staff):
    tab, _ = await open_tab(await sync_to_async(staff)())
    other, _ = await open_tab(await sync_to_async(staff)(name="other"))
    unread = 0
    for _ in range(6):
        await other.hear()
    while not await tab.receive_nothing(0.05):
        last = json.loads(await tab.receive_from())["round"]
        unread += 1
    assert unread <= 3
    await tab.say(seen=last)
    assert (await tab.hear())["round"] > last
    for one in (tab, other):
        await one.disconnect()
