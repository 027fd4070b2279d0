"""A reading that clients share: at most one runs, and a client that goes away ends it for no other."""

import asyncio

import pytest

from chat.http.shared_reading import SharedReading


async def test_clients_share_one_reading_and_a_later_one_gets_a_new_one():
    release, count = asyncio.Event(), 0

    async def read() -> int:
        nonlocal count
        count += 1
        await release.wait()
        return count

    shared = SharedReading(read, seconds=0.0)
    first, second = (asyncio.ensure_future(shared.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    release.set()
    assert await second == 1
    assert await shared.get() == 2


async def test_value_is_used_for_some_time_and_an_error_reaches_each_client():
    async def read() -> int:
        raise OSError("away")

    shared = SharedReading(read, seconds=60.0)
    found = await asyncio.gather(shared.get(), shared.get(), return_exceptions=True)
    assert [str(error) for error in found] == ["away", "away"]
