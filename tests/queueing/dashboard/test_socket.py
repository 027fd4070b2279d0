"""The socket of the page: permissions, and that each client is sent only its own changes."""

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


class Client(WebsocketCommunicator):
    """An open page that reads and confirms its frames."""

    parts: dict[str, str]

    async def receive_round(self) -> dict[str, Any]:
        """Return the next round."""
        said = json.loads(await self.receive_from(10))
        self.parts |= said["parts"]
        await self.send(seen=said["round"])
        return said

    async def send(self, **message: Any) -> None:
        await self.send_to(text_data=json.dumps(message))

    async def receive_part(self, name: str, text: str) -> None:
        """Read rounds until the part contains the text."""
        while text not in self.parts.get(name, ""):
            await self.receive_round()

    async def close_code(self) -> int:
        while (output := await self.receive_output(15))["type"] != "websocket.close":
            pass
        return output["code"]


async def open_client(user: Any, query: str = "", client: AsyncClient | None = None) -> tuple[Client, bool]:
    client = client or AsyncClient()
    if user:
        await client.aforce_login(user)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    client = Client(application, f"/ws/queue{query}", headers=[ORIGIN, (b"cookie", cookies.encode())])
    client.parts = {}
    connected, _ = await client.connect(timeout=10)
    return client, connected


async def test_socket_without_staff_session_is_refused(django_user_model):
    bob = await django_user_model.objects.acreate_user("bob")
    for user in (None, bob):
        _, connected = await open_client(user)
        assert not connected


async def test_socket_sends_changed_counts(staff):
    client, connected = await open_client(await sync_to_async(staff)("view_job"), "?queue=test")
    assert connected
    await client.receive_part("queues", "<dt>waiting</dt><dd>0</dd>")
    await sync_to_async(submit)("test.noop", {})
    await client.receive_part("queues", "<dt>waiting</dt><dd>1</dd>")
    assert 'id="h-detail">test<' in client.parts["queue_detail"]
    await client.disconnect()


async def test_socket_opens_without_redis_and_shows_its_return(staff, valkey):
    valkey.stop()
    client, connected = await open_client(await sync_to_async(staff)())
    assert connected
    await client.receive_part("warnings", "Redis is unavailable")
    await sync_to_async(valkey.start)()
    await client.receive_part("warnings", "No worker is running")
    await client.disconnect()


async def test_unchanged_parts_are_not_sent_again(staff):
    client, _ = await open_client(await sync_to_async(staff)("view_job"))
    assert set((await client.receive_round())["parts"]) >= {"queues", "plots", "failures", "workers", "audit"}
    again = (await client.receive_round())["parts"]
    assert not set(again) & {"plots", "failures", "workers", "audit"}
    await client.disconnect()


async def test_parts_depend_on_permissions(staff):
    await sync_to_async(failed)(2)
    counts, _ = await open_client(await sync_to_async(staff)(name="counts"))
    reader, _ = await open_client(await sync_to_async(staff)("view_job", "view_contents", name="reader"))
    operator, _ = await open_client(
        await sync_to_async(staff)("operate_queue", name="operator"), "?queue=test"
    )
    for client in (counts, reader, operator):
        await client.receive_round()
    assert "failures" not in counts.parts
    assert "SECRET" in reader.parts["failures"]
    assert "SECRET" not in operator.parts["failures"]
    assert "data-action" in operator.parts["queue_detail"]
    assert "data-action" not in json.dumps(reader.parts)
    for client in (counts, reader, operator):
        await client.disconnect()


async def test_selection_changes_parts_and_invalid_frames_are_ignored(staff):
    client, _ = await open_client(await sync_to_async(staff)())
    await client.receive_round()
    for text in ("{", "[]", '{"show": 1}', '{"seen": "x"}', '{"show": {"queue": ["x"]}}', "x" * 10_000):
        await client.send_to(text_data=text)
    await client.send(show={"queue": "test", "span": "24h"})
    await client.receive_part("queue_detail", 'id="h-detail">test<')
    await client.receive_part("plots", "Ten minutes")
    await client.disconnect()


async def test_changed_permission_changes_buttons_of_open_page(staff):
    user = await sync_to_async(staff)("operate_queue")
    client, _ = await open_client(user, "?queue=test")
    await client.receive_part("queue_detail", "data-action")
    await user.user_permissions.aclear()
    while "data-action" in client.parts["queue_detail"]:
        await client.receive_round()
    await user.user_permissions.aadd(await Permission.objects.aget(codename="operate_queue"))
    await client.receive_part("queue_detail", "data-action")
    await client.disconnect()


@pytest.mark.parametrize("how", ["signed out", "no longer staff", "inactive", "new password"])
async def test_socket_is_close_code_4401_when_session_ends(staff, how):
    user = await sync_to_async(staff)("view_job")
    client, _ = await open_client(user)
    await client.receive_round()
    if how == "signed out":
        await Session.objects.all().adelete()
    elif how == "new password":
        user.set_password("another")
        await user.asave()
    else:
        user.is_staff, user.is_active = how != "no longer staff", how != "inactive"
        await user.asave()
    assert await client.close_code() == 4401


@pytest.mark.slow
async def test_slow_client_is_sent_nothing_until_it_reads(staff):
    client, _ = await open_client(await sync_to_async(staff)())
    other, _ = await open_client(await sync_to_async(staff)(name="other"))
    unread = 0
    for _ in range(6):
        await other.receive_round()
    while not await client.receive_nothing(0.05):
        last = json.loads(await client.receive_from())["round"]
        unread += 1
    assert unread <= 3
    await client.send(seen=last)
    assert (await client.receive_round())["round"] > last
    for one in (client, other):
        await one.disconnect()
