"""Threads of a web process keep neither a database connection nor the process itself."""

import subprocess
import sys
import threading
from concurrent.futures import Future, wait

import pytest

from queueing.record import threads as threads_module
from queueing.record.threads import SerialThread, TidyThreads
from tests.support.valkey import wait_until

#: A function on a thread waits for the event loop, which ends first: as when a web process is stopped.
WAITS_FOR_A_LOOP_THAT_HAS_ENDED = """
import asyncio
from asgiref.sync import async_to_sync, sync_to_async
from queueing.record.threads import SerialThread, TidyThreads

async def never(waiting):
    waiting.set()
    await asyncio.Event().wait()

async def main():
    waiting = asyncio.Event()
    asyncio.get_running_loop().set_default_executor(TidyThreads(4))
    asyncio.ensure_future(sync_to_async(async_to_sync(never), thread_sensitive=False)(waiting))
    await waiting.wait()

asyncio.new_event_loop().run_until_complete(main())
print("ended", flush=True)
"""


def test_process_ends_although_a_thread_waits_for_its_loop():
    """Found by `make chaos`: a web process ignored SIGTERM while a submission was being announced."""
    command = [sys.executable, "-W", "ignore", "-c", WAITS_FOR_A_LOOP_THAT_HAS_ENDED]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr


@pytest.mark.parametrize(("threads", "size"), [(TidyThreads(3), 3), (SerialThread(TidyThreads(3)), 1)])
def test_pool_runs_as_many_functions_at_once_as_it_has_threads(threads, size):
    release, lock = threading.Event(), threading.Lock()
    running: list[int] = []

    def work(number: int) -> int:
        with lock:
            running.append(number)
        release.wait(10)
        return number

    futures = [threads.submit(work, number) for number in range(5)]
    wait_until(lambda: len(running) == size, f"{size} functions")
    release.set()
    wait(futures, 10)
    assert [future.result() for future in futures] == [0, 1, 2, 3, 4]


def test_error_of_a_function_reaches_its_caller_and_the_thread_goes_on():
    threads = SerialThread(TidyThreads(2))
    broken: Future[float] = threads.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.result(10)
    assert threads.submit(lambda: "next").result(10) == "next"


def test_idle_threads_end(monkeypatch):
    monkeypatch.setattr(threads_module, "_IDLE", 0.1)
    threads = TidyThreads(2, "ending")
    wait([threads.submit(int) for _ in range(4)], 10)
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "ending"], "the threads to end")
