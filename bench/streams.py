"""`python -m bench.streams`: many answers stream at the same time, through the whole system.

    simulated provider ─▶ worker ─▶ Redis ─▶ web (daphne) ─▶ sockets

Each token contains the time at which the provider sent it, so a reader knows how long it took. The added
delay is the difference to a client that reads the provider directly. The provider and the readers use the
same cores. CPU and memory are those of the whole process trees while all streams run. Before, `--first N`
questions are asked one after the other, and the time to the first token is compared in the same way.

With `--watch N` instead: N sockets watch the position of their messages, with `--waiting` messages in line,
of which a few are answered each second.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .process import Process, wait_for
from .store import Store
from .streaming.report import print_first, print_streams

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "var" / "bench" / "streams"


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Site:
    """Store, workers and web server on the loopback interface."""

    def __init__(self, provider: int, concurrency: int, given: argparse.Namespace) -> None:
        self.store = Store(RUN / "store", aof=False)
        self.port = free_port()
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "buddy.settings",
            "DATABASE_URL": getattr(given, "database", "") or f"sqlite:///{RUN / 'db.sqlite3'}",
            "REDIS_URL": self.store.url,
            "STATIC_ROOT": str(RUN / "static"),
            "OPENAI_BASE_URL": f"http://127.0.0.1:{provider}/v1",
            "OPENAI_API_KEY": "none",
            "OPENAI_MODEL": "stamps",
            "THREAD_TITLES": "0",
            "QUEUE_WORKERS": str(given.workers),
            "QUEUE_OPENAI_CHAT_CONCURRENCY": str(concurrency),
            "QUEUE_OPENAI_CHAT_SOFT_LIMIT": "1000000",
            "QUEUE_OPENAI_CHAT_HARD_LIMIT": "1000000",
            "QUEUE_OPENAI_CHAT_OWNER_LIMIT": "0",
            # All clients have one address, and only streaming is measured.
            **dict.fromkeys(("LIMIT_ANONYMOUS", "LIMIT_ADDRESS", "LIMIT_REQUESTS"), ""),
            "LIMIT_OPEN": "0",
            "TRUSTED_PROXIES": "127.0.0.1",  # a client may say from which network it comes
            **dict.fromkeys(("ANSWER_CACHE_SECONDS", "THREAD_TITLES", "ANALYTICS_DAYS"), "0"),
        }
        manage = [sys.executable, "manage.py"]
        prepare = [sys.executable, "-m", "deploy.local.migrate_and_collect"]
        subprocess.run(prepare, cwd=ROOT, env=self.env, check=True)
        self.workers = Process([*manage, "qcluster"], self.env, RUN / "workers.log", ROOT)
        self.webs: dict[int, Process] = {}
        self.web = self.start_web(self.port)
        wait_for(self._listens, "the web server", self.web)
        wait_for(lambda: self.store.client.hlen("{buddy}:workers"), "the workers", self.workers)

    def start_web(self, port: int) -> Process:
        """Start a web process on a port."""
        daphne = [sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), "buddy.asgi:application"]
        self.webs[port] = Process(daphne, self.env, RUN / "web.log", ROOT)
        return self.webs[port]

    def _listens(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def do(self, function: str, *args: object, module: str = "streams") -> None:
        """Run a function of a bench module in a process with the site's settings."""
        code = f"from bench import {module}; {module}.{function}(*{args!r})"
        shell = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        subprocess.run(shell, cwd=ROOT, env=self.env, check=True)

    @property
    def processes(self) -> dict[str, Process]:
        """The processes whose CPU and memory are measured, by name."""
        return {"worker": self.workers, "web": self.web, "redis": self.store.process}

    def stop(self) -> None:
        """Stop all processes."""
        for process in (*self.webs.values(), self.workers, self.store.process):
            process.stop()


def make_sessions(count: int, path: str) -> None:
    """Create sessions for `count` visitors and write their keys to a file."""
    from django.db import transaction

    from chat.accounts.access.sessions.store import SessionStore

    keys = []
    with transaction.atomic():
        for _ in range(count):
            session = SessionStore()
            session.begin_visit()
            session.keep()
            keys.append(session.session_key)
    Path(path).write_text("\n".join(keys))


def hold(paused: bool) -> None:
    """Pause or resume the queue."""
    from queueing.control import verbs

    (verbs.pause if paused else verbs.resume)("openai-chat")


def make_line(count: int) -> None:
    """Put jobs of `count` owners in line, after all other jobs."""
    from queueing.models import Job
    from queueing.record.job_spec import JobSpec
    from queueing.schedule.enqueue import enqueue_all

    jobs = [
        JobSpec(kind="chat.reply", owner=f"b:{n}", priority=9).build({"reply_id": "0" * 32})
        for n in range(count)
    ]
    Job.objects.bulk_create(jobs, batch_size=500)
    enqueue_all(jobs)


def read(
    mode: str,
    port: int,
    given: argparse.Namespace,
    processes: dict[str, Process],
    count: int,
    resume: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Run the client. Return its figures, and CPU (cores) and memory (MB) of each process."""
    command = [
        sys.executable,
        "-m",
        "bench.streaming.client",
        mode,
        str(port),
        str(count),
        str(given.seconds),
    ]
    client = subprocess.Popen([*command, str(RUN / "sessions")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = {}
    before: dict[str, float] = {}
    assert client.stdout
    for line in client.stdout:
        event = json.loads(line)
        figures |= event
        if event.get("now") == "asked" and resume:
            resume()
        elif event.get("now") == "steady":
            before = {name: process.cpu() for name, process in processes.items()}
        elif event.get("now") == "measured":
            for name, process in processes.items():
                figures[f"{name} cores"] = (process.cpu() - before[name]) / given.seconds
                figures[f"{name} MB"] = process.pss()
    if client.wait():
        raise SystemExit("the client failed")
    return figures


def streams(given: argparse.Namespace) -> None:
    """Measure the added delay of the first token and of each token."""
    port, tokens = free_port(), round(given.rate * given.length)
    command = [sys.executable, "-m", "bench.streaming.provider", str(port), str(tokens), str(given.rate)]
    provider = Process(command, dict(os.environ), RUN / "provider.log", ROOT)
    site = Site(port, given.streams, given)
    processes = site.processes | {"provider": provider}
    try:
        site.do("make_sessions", given.streams + 1, str(RUN / "sessions"))
        first = first_tokens(port, site.port, given.first) if given.first else {}
        direct = read("direct", port, given, {"provider": provider}, given.streams)
        site.do("hold", True)  # so that all start together, after the last message was accepted
        resume = partial(site.do, "hold", False)
        through = read("sockets", site.port, given, processes, given.streams, resume)
    finally:
        site.stop()
        provider.stop()
    print_streams(given, tokens, direct, through)
    if first:
        print_first(first)
    save("streams", given, {"first": first, "direct": direct, "through": through})


def first_tokens(provider: int, site: int, count: int) -> dict[str, Any]:
    """Ask `count` questions one after the other. Return when each event came."""
    ports = [str(provider), str(site), str(count), str(RUN / "sessions")]
    command = [sys.executable, "-m", "bench.streaming.first", *ports]
    figures: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, stdout=-1, check=True).stdout)
    return figures


def watchers(given: argparse.Namespace) -> None:
    """Measure the cost of watching positions."""
    port = free_port()
    command = [sys.executable, "-m", "bench.streaming.provider", str(port), "10", "20"]
    provider = Process(command, dict(os.environ), RUN / "provider.log", ROOT)
    site = Site(port, 3, given)
    try:
        site.do("make_sessions", given.watch, str(RUN / "sessions"))
        site.do("make_line", max(0, given.waiting - given.watch))
        figures = read("watch", site.port, given, site.processes, given.watch)
    finally:
        site.stop()
        provider.stop()
    print(f"\n{given.watch:,} sockets watching, {given.waiting:,} in line; load {os.getloadavg()[0]:.1f}")
    print(f"  events {figures['events_per_second']:.0f} a second, {figures['over']} answered meanwhile")
    for name in site.processes:
        print(f"  {name:8} {figures[f'{name} cores']:5.2f} cores, {figures[f'{name} MB']:.0f} MB")
    save("watch", given, figures)


def save(name: str, given: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Write the figures to a JSON file."""
    path = RUN / f"{name}.json"
    path.write_text(json.dumps({"given": vars(given), "figures": figures}, indent=1))
    print(f"  all figures: {path}")


def main() -> None:
    """Measure streams, or with `--watch` watchers."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=20.0, help="tokens a second in each stream")
    parser.add_argument("--length", type=float, default=75.0, help="seconds of one answer")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of the measurement")
    parser.add_argument("--first", type=int, default=60, metavar="N", help="questions on an idle system")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument(
        "--watch", type=int, default=0, metavar="N", help="measure N sockets that watch positions instead"
    )
    parser.add_argument("--waiting", type=int, default=10_000)
    given = parser.parse_args()
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True)
    watchers(given) if given.watch else streams(given)


if __name__ == "__main__":
    main()
