"""`python -m bench.dashboard`: what the staff's page costs the web process while it is looked at.

One web server (daphne), one cluster that runs 1,000 jobs at once all the time, and ten sockets as ten open
tabs have them, with a real staff session, read by a client in a process of its own. The CPU seconds of the
web process are taken over the same time without tabs, with them, and without again: what is more than the
mean of the two without is what the tabs cost, as a share of one core.
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
    """A member of the staff who may do everything, whose session's key goes to the file; and jobs."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django_q.tasks import async_task

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
    """A job: waiting, as for a model's answer."""
    await asyncio.sleep(seconds)


async def watch(port: int, key: str, tabs: int, seconds: float) -> None:
    """The tabs; what they were sent goes to stdout when the time is over."""
    headers = {"Cookie": f"sessionid={key}", "Origin": f"http://127.0.0.1:{port}"}
    heard = {"messages": 0, "bytes": 0}

    async def tab(http: aiohttp.ClientSession) -> None:
        async with http.ws_connect(f"http://127.0.0.1:{port}/ws/queue?span=1h", headers=headers) as ws:
            async for frame in ws:
                said = json.loads(frame.data)
                heard["messages"] += 1
                heard["bytes"] += len(frame.data)
                await ws.send_json({"seen": said["round"]})

    async with aiohttp.ClientSession() as http:
        everybody = [asyncio.create_task(tab(http)) for _ in range(tabs)]
        done, _ = await asyncio.wait(everybody, timeout=seconds)
    for one in everybody:
        one.cancel()
    print(json.dumps(heard | {"ended early": len(done)}), flush=True)


def share(site: Site, seconds: float, tabs: int) -> tuple[float, str]:
    """CPU of the web process as a share of a core, and what the tabs heard."""
    before, began = site.web.cpu(), time.monotonic()
    heard = ""
    if tabs:
        key = (RUN / "session").read_text()
        command = [sys.executable, "-m", "bench.dashboard", "--as-tabs", str(tabs), str(site.port), key]
        told = subprocess.run(
            [*command, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        heard = told.stdout.strip()
    else:
        time.sleep(seconds)
    return (site.web.cpu() - before) / (time.monotonic() - began), heard


def measure(given: argparse.Namespace) -> None:
    """Print the figures."""
    os.environ |= {
        "QUEUE_DJANGO_Q_CONCURRENCY": str(given.jobs),
        "QUEUE_DJANGO_Q_SOFT_LIMIT": "1000000",
        "QUEUE_DJANGO_Q_HARD_LIMIT": "1000000",
    }
    site = Site(1, 3, given)
    try:
        # So many that as many run until all is measured: each takes ten seconds.
        site.do(
            "prepare", str(RUN / "session"), int(given.jobs * (given.seconds * 0.4 + 4)), module="dashboard"
        )
        active = "{buddy}:q:django-q:active"
        wait_for(lambda: site.store.client.zcard(active) >= given.jobs, "the jobs to run", site.workers)
        share(site, given.seconds / 3, given.tabs)  # templates and statements are compiled, and caches filled
        first, _ = share(site, given.seconds, 0)
        with_tabs, heard = share(site, given.seconds, given.tabs)
        second, _ = share(site, given.seconds, 0)
        running = site.store.client.zcard(active)
    finally:
        site.stop()
    costs = with_tabs - (first + second) / 2
    load = os.getloadavg()[0]
    print(f"{given.tabs} tabs for {given.seconds:g} s, {running} jobs running at the end; load {load:.1f}")
    print(f"  web process: {first:.1%} and {second:.1%} of a core without tabs, {with_tabs:.1%} with")
    print(f"  the tabs cost {costs:.1%} of a core; they heard {heard}")


def main() -> None:
    """Measure, or be the tabs."""
    parser = argparse.ArgumentParser(prog="python -m bench.dashboard", description=__doc__)
    parser.add_argument("--tabs", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1000, help="how many run at once")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each is measured")
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
