"""One worker, in this process: what it does when a part of it breaks."""

import os
import signal

import pytest

from queueing import schedule
from queueing.identity import Identity
from queueing.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def own_signals():
    """A worker takes the process's signals; give them back."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


async def test_a_worker_one_part_of_which_breaks_ends_with_an_error_so_that_another_takes_its_place(
    monkeypatch, caplog
):
    def broken(*args):
        raise RuntimeError("a bug")

    monkeypatch.setattr(schedule, "claim", broken)
    with pytest.raises(SystemExit) as ended:
        await Worker(Identity(cluster="c")).run()
    assert ended.value.code == 1
    assert "a part of the worker broke" in caplog.text


async def test_a_worker_whose_supervisor_is_gone_ends_in_peace():
    heard, kept = os.pipe()
    await Worker(Identity(cluster="c", lifeline=(heard, kept))).run()  # it closes its own copy, the only one
    os.close(heard)
