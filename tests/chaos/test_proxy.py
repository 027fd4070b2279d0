"""The links of the chaos program break connections in the way their names say."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.chaos.proxy import Proxy
from tests.support.valkey import free_port


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest.fixture
async def link() -> AsyncIterator["Link"]:
    server = await asyncio.start_server(echo, "127.0.0.1", free_port())
    link = Link(Proxy())
    link.port = (await link.do("add", target=server.sockets[0].getsockname()[1]))["port"]
    yield link
    server.close()


class Link:
    """A link to a server that sends back what it receives."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self.port = 0

    async def do(self, verb: str, **more: object) -> dict[str, int]:
        return await self._proxy.obey({"name": "echo", "do": verb, **more})

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


async def said(connection: tuple[asyncio.StreamReader, asyncio.StreamWriter], wait: float = 5.0) -> bytes:
    """Send a word and return what comes back within `wait` seconds."""
    reader, writer = connection
    writer.write(b"word")
    return await asyncio.wait_for(reader.read(100), wait)


async def test_link_forwards_in_both_directions(link):
    assert await said(await link.connect()) == b"word"


async def test_frozen_connection_is_silent_and_open_while_new_ones_work(link):
    old = await link.connect()
    assert await said(old) == b"word"
    await link.do("freeze")
    with pytest.raises(TimeoutError):
        await said(old, wait=0.2)
    assert await said(await link.connect()) == b"word"


async def test_refusing_link_resets_what_is_open_and_accepts_nothing_until_it_passes(link):
    old = await link.connect()
    assert await said(old) == b"word"
    await link.do("refuse")
    with pytest.raises(ConnectionError):
        await old[0].readexactly(1)
    with pytest.raises(ConnectionRefusedError):
        await link.connect()
    await link.do("pass")
    assert await said(await link.connect()) == b"word"


async def test_slow_link_delays_what_it_forwards(link):
    connection = await link.connect()
    await link.do("pass", delay=0.3)
    with pytest.raises(TimeoutError):
        await said(connection, wait=0.2)
    assert await asyncio.wait_for(connection[0].read(100), 5) == b"word"


async def test_aimed_link_sends_only_new_connections_elsewhere(link):
    old = await link.connect()
    assert await said(old) == b"word"
    await link.do("aim", target=free_port())
    assert await said(old) == b"word"
    new = await link.connect()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await new[0].readexactly(1)
