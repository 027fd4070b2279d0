"""deploy/local/process.py and watchdog.py: restart, give up, and end processes with all descendants."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import process as process_module
from deploy.local.bootstrap import Problem
from deploy.local.console import Console
from deploy.local.process import Process, SupervisedProcess
from deploy.local.watchdog import Watchdog, alive
from tests.support.valkey import wait_until

ROOT = Path(__file__).resolve().parents[3]
#: A child that has a child. Both ignore SIGTERM.
STUBBORN = ["sh", "-c", "trap '' TERM; sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'; :"]


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    """Start a watchdog and end it after the test."""
    dog = Watchdog()
    yield dog
    dog.close()


@pytest.fixture
def out() -> io.StringIO:
    """Return the stream that the console writes to."""
    return io.StringIO()


@pytest.fixture
def run(watchdog: Watchdog, out: io.StringIO):
    """Return a function that makes a supervised process from a command."""
    return lambda command, grace=5.0: SupervisedProcess(
        Process("web", command, Console(out), watchdog), dict(os.environ), grace
    )


async def until(predicate, what: str) -> None:
    """Wait for the predicate in a thread, so that the event loop goes on."""
    await asyncio.to_thread(wait_until, predicate, what)


async def test_console_line_without_newline_is_printed_with_process_name(run, out: io.StringIO):
    assert await run(["printf", "one\\ntwo"]).run_once() == 0
    assert out.getvalue() == "web     │ one\nweb     │ two\n"


async def test_keep_running_killed_process_is_restarted(run, out: io.StringIO):
    service = run([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"])
    keeping = asyncio.create_task(service.keep_running())
    await until(lambda: out.getvalue().count("up") == 1, "the first start")
    service.process.kill()
    await until(lambda: out.getvalue().count("up") == 2, "the second start")
    await service.stop()
    await keeping
    assert "web ended (SIGKILL). Restarting it in 1 s." in out.getvalue()


async def test_keep_running_repeated_failure_raises_problem_with_last_lines(run, monkeypatch):
    monkeypatch.setattr(process_module, "MAX_FAILED_STARTS", 2)
    with pytest.raises(Problem, match=r"(?s)web keeps failing \(exit code 7\).*the reason"):
        await run(["sh", "-c", "echo the reason; exit 7"]).keep_running()


async def test_stop_process_ignoring_sigterm_is_killed_with_children(run, out: io.StringIO):
    service = run(STUBBORN, grace=0.2)
    keeping = asyncio.create_task(service.keep_running())
    await until(lambda: "ready" in out.getvalue(), "the child's child")
    group = service.process.child.pid
    await service.stop()
    await keeping
    await until(lambda: not alive(group), "the group to end")
    assert "did not stop within" in out.getvalue()


async def test_keep_running_dead_process_children_are_killed_before_restart(run, out: io.StringIO):
    service = run(["sh", "-c", "sleep 60 & echo $! ready; kill -9 $$"])
    keeping = asyncio.create_task(service.keep_running())
    await until(lambda: "Restarting it" in out.getvalue(), "the death")
    await until(lambda: not alive(service.process.child.pid), "its child to end")
    await service.stop()
    await keeping


async def test_keep_running_after_stop_starts_nothing(run, out: io.StringIO):
    service = run(["echo", "up"])
    service.stopping.set()
    await service.keep_running()
    await service.stop()
    assert out.getvalue() == ""


SUPERVISOR = """
import asyncio, os, sys
from deploy.local.console import Console
from deploy.local.process import Process
from deploy.local.watchdog import Watchdog

async def main():
    process = Process("web", sys.argv[1:], Console(), Watchdog())
    await process.start(os.environ)
    print("group", process.child.pid, flush=True)
    await process.wait()

asyncio.run(main())
"""


def test_watchdog_killed_supervisor_ends_all_groups():
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, *STUBBORN], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    lines = sorted([supervisor.stdout.readline(), supervisor.stdout.readline()])
    group = int(lines[0].split()[1])
    assert alive(group)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    wait_until(lambda: not alive(group), "the child and its child to end", timeout=10)


def test_watchdog_killed_process_is_replaced_with_the_same_groups():
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    dog = Watchdog()
    dog.add(child.pid)
    dog.process.send_signal(signal.SIGKILL)
    dog.process.wait()
    dog.check()
    dog.close()
    assert child.wait(10) == -signal.SIGTERM


def test_console_closed_stream_calls_on_closed():
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    closed: list[bool] = []
    Console(Closed(), on_closed=lambda: closed.append(True)).say("hello")
    assert closed == [True]
