"""`python -m bench.dashboard`: the cost of the staff's page for the web process.

There is one web server (daphne), one cluster that always runs 1,000 jobs, and ten sockets like those of ten
open tabs, with a real staff session. A separate process reads the sockets. The CPU seconds of the web process
are measured without tabs, with them, and without them again. The cost of the tabs is the difference to the
mean of the two periods without tabs, as a share of one core.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import aiohttp

from .process import wait_for
from .streams import ROOT, RUN, Site


def prepare(path: str, jobs: int) -> None:
    """Create a superuser, write the session key to the file, and submit the jobs."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django_q.tasks import async_task

    from chat.accounts.access.sessions.store import SessionStore

    user = User.objects.create_superuser("bench")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    Path(path).write_text(str(session.session_key))
    for _ in range(jobs):
        async_task("bench.dashboard.nap", random.uniform(8, 12))


async def nap(seconds: float) -> None:
    """Wait, as for the answer of a model."""
    await asyncio.sleep(seconds)


async def watch(port: int, key: str, tabs: int, seconds: float) -> None:
    """Open the tabs. At the end, print how much they received."""
    headers = {"Cookie": f"sessionid={key}", "Origin": f"http://127.0.0.1:{port}"}
    received = {"messages": 0, "bytes": 0}

    async def tab(http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(f"http://127.0.0.1:{port}/ws/queue?span=1h", headers=headers) as ws:
            async for frame in ws:
                event = json.loads(frame.data)
                received["messages"] += 1
                received["bytes"] += len(frame.data)
                await ws.send_json({"seen": event["round"]})

    async with aiohttp.ClientSession() as http:
        tasks = [asyncio.create_task(tab(http)) for _ in range(tabs)]
        done, _ = await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    print(json.dumps(received | {"ended early": len(done)}), flush=True)


def share(site: Site, seconds: float, tabs: int) -> tuple[float, str]:
    """Return the CPU of the web process as a share of a core, and how much the tabs received."""
    before, began = site.web.cpu(), time.monotonic()
    received = ""
    if tabs:
        key = (RUN / "session").read_text()
        command = [sys.executable, "-m", "bench.dashboard", "--as-tabs", str(tabs), str(site.port), key]
        client = subprocess.run(
            [*command, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        received = client.stdout.strip()
    else:
        time.sleep(seconds)
    return (site.web.cpu() - before) / (time.monotonic() - began), received


def measure(given: argparse.Namespace) -> None:
    """Measure and print the figures."""
    os.environ |= {
        "QUEUE_TASKS": "bench.dashboard.nap",
        "QUEUE_DJANGO_Q_CONCURRENCY": str(given.jobs),
        "QUEUE_DJANGO_Q_SOFT_LIMIT": "1000000",
        "QUEUE_DJANGO_Q_HARD_LIMIT": "1000000",
    }
    site = Site(1, 3, given)
    try:
        # Enough jobs to run until the end of the measurement: each takes about ten seconds.
        site.do(
            "prepare", str(RUN / "session"), int(given.jobs * (given.seconds * 0.4 + 4)), module="dashboard"
        )
        active = "{buddy}:q:django-q:active"
        wait_for(lambda: site.store.client.zcard(active) >= given.jobs, "the jobs to run", site.workers)
        share(site, given.seconds / 3, given.tabs)  # warm-up: compile templates and statements, fill caches
        first, _ = share(site, given.seconds, 0)
        with_tabs, received = share(site, given.seconds, given.tabs)
        second, _ = share(site, given.seconds, 0)
        running = site.store.client.zcard(active)
    finally:
        site.stop()
    costs = with_tabs - (first + second) / 2
    load = os.getloadavg()[0]
    print(f"{given.tabs} tabs for {given.seconds:g} s, {running} jobs running at the end; load {load:.1f}")
    print(f"  web process: {first:.1%} and {second:.1%} of a core without tabs, {with_tabs:.1%} with")
    print(f"  the tabs cost {costs:.1%} of a core; they received {received}")


def main() -> None:
    """Measure, or open the tabs in the client process."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--tabs", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1000, help="number of jobs that run at the same time")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of each period")
    parser.add_argument("--as-tabs", nargs=4, metavar=("TABS", "PORT", "SESSION", "SECONDS"))
    given = parser.parse_args()
    if given.as_tabs:
        tabs, port, key, seconds = given.as_tabs
        asyncio.run(watch(int(port), key, int(tabs), float(seconds)))
        return
    given.workers = 1
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    measure(given)


if __name__ == "__main__":
    main()
