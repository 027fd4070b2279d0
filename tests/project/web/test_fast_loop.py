"""The web process runs on a loop of uvloop, however Daphne was started."""

import os
import subprocess
import sys

import pytest

_PROGRAM = """
import sys, threading
sys.modules.update(dict.fromkeys(sys.argv[1:]))  # these are not installed
from daphne import server
from buddy.web import fast_loop

fast_loop.install()
reactor = server.reactor
loop = reactor._asyncioEventloop

async def work():
    thread = await loop.run_in_executor(None, threading.current_thread)
    print(type(loop).__module__, thread.name)
    await loop.run_in_executor(None, reactor.callFromThread, reactor.stop)

reactor.callWhenRunning(lambda: loop.create_task(work()))
reactor.run()
"""


@pytest.mark.parametrize(
    ("missing", "loop"), [([], "uvloop"), (["uvloop"], "asyncio.unix_events")], ids=["uvloop", "asyncio"]
)
def test_reactor_of_daphne_runs_on_the_fast_loop_with_its_threads(missing, loop):
    """It starts, takes calls from threads, and stops. The threads of `ASGI_THREADS` are not lost."""
    env = os.environ | {"ASGI_THREADS": "3"}
    command = [sys.executable, "-W", "error", "-c", _PROGRAM, *missing]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    threads = "ThreadPoolExecutor-0_0"  # the first one, which Daphne made
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, [loop, threads], "")
