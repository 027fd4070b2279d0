"""The watch of this process."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from .watch import Watch


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    found = Watch()
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        found.add_step(time.thread_time() - began, handle)

    monkeypatch.setattr(asyncio.Handle, "_run", timed)
    with found.calls():
        yield found
