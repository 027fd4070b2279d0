"""`python -m bench.growth`: the statements of all requests and heartbeats on a site that has grown.

It fills a database with a million finished jobs, a million messages and 100,000 conversations. Then it sends
every kind of request of visitors and staff, does every duty of a worker, and runs each statement again by
itself. The mark: none of a request or a heartbeat takes more than 5 ms, or reads a large table from end to
end. SQLite in a file of its own, unless DATABASE_URL names an empty database:

    .venv/bin/python -m tests.support.on_postgres .venv/bin/python -m bench.growth
"""

import argparse
import json
import logging
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .report import three_digits
from .store import Store

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / "var" / "bench" / "growth"
#: Milliseconds.
MARK = 5.0
_PASSWORD = "long-and-own-4711"
#: What belongs to no request and no heartbeat, and what shows all rows of a time: the mark is not for these.
_SELDOM = "seldom"
_WITHOUT_MARK = ("figures", _SELDOM)


def _settings(store: Store, url: str) -> None:
    """Point the process at the store and the database, as `Site` of bench/streams.py does."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "buddy.settings",
        "DATABASE_URL": url,
        "REDIS_URL": store.url,
        "STATIC_ROOT": str(RUN / "static"),
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "OPENAI_MODEL": "none",
        "METRICS_TOKEN": "only-for-measuring-" + "x" * 20,
        "QUEUE_OPENAI_CHAT_HARD_LIMIT": "1000000",
        "QUEUE_OPENAI_CHAT_SOFT_LIMIT": "1000000",
        **dict.fromkeys(("LIMIT_ANONYMOUS", "LIMIT_ADDRESS", "LIMIT_REQUESTS"), ""),
        **dict.fromkeys(("LIMIT_OPEN", "ANSWER_CACHE_SECONDS", "THREAD_TITLES"), "0"),
        "QUEUE_OPENAI_CHAT_OWNER_LIMIT": "0",
    }
    prepare = [sys.executable, "-m", "deploy.local.migrate_and_collect"]
    subprocess.run(prepare, cwd=ROOT, env=os.environ, check=True)
    import django

    django.setup()
    logging.disable(logging.WARNING)


def _prepare(size: Any) -> str:
    """Fill the database, unless it is full. Return the owner with many conversations."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction

    from tests.support.growth import fill
    from tests.support.growth.rows import analyze

    user = User.objects.filter(username="large").first()
    if user is None:
        began = time.monotonic()
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:  # only while it is filled
                cursor.execute("PRAGMA synchronous=OFF")
                cursor.execute("PRAGMA cache_size=-500000")
        with transaction.atomic():
            user = User.objects.create_superuser("large", password=_PASSWORD)
            fill.fill(size, f"u:{user.pk}")
        analyze()
        connection.close()
        print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    return f"u:{user.pk}"


def _rounds(owner: str, number: int) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield (group, name, call) of one round."""
    from django.contrib.auth.models import User
    from django.test import Client

    from chat.conversations.messages import NewMessage
    from chat.conversations.services import submit_question
    from chat.models import Thread
    from tests.support.growth import duties, staff, visits

    User.objects.filter(username="small").delete()
    user = User.objects.create_user("small", password=_PASSWORD)
    small, large = Client(SERVER_NAME="127.0.0.1"), Client(SERVER_NAME="127.0.0.1")
    small.force_login(user)
    large.force_login(User.objects.get(username="large"))
    fields = {"owner": f"u:{user.pk}", "companion": "travel", "request_id": f"r-{number}"}
    accepted = submit_question(NewMessage(text="Lisbon?", **fields))
    of = {
        "of a user": visits.readings(small, Thread.objects.get(id=accepted.thread_id)),
        # The one with the hundredth part of all messages.
        "of a large user": visits.readings(large, Thread.objects.filter(owner=owner).order_by("-id")[0]),
        "of staff": staff.readings(large, owner),
        "figures": staff.figures(large),
        "writing": visits.writings(small, accepted, number) | visits.erasing(small, _PASSWORD),
    }
    engine = duties.Engine("chat.reply", {"reply_id": "0" * 32}, "openai-chat", f"engine{number}")
    of |= {
        "jobs": engine.of_jobs(),
        "heartbeat": engine.of_heartbeats(),
        "monitoring": engine.of_monitoring(),
        "operators": engine.of_operators(),
        _SELDOM: engine.hourly() | engine.of_recovery(),
    }
    for group, calls in of.items():
        for name, call in calls.items():
            yield group, name, call


class Found:
    """What was found out about one statement of one call."""

    def __init__(self, sql: str, params: Any) -> None:
        self.sql, self.params = sql, params
        self.times: list[float] = []
        self.scans: list[str] = []

    @property
    def median(self) -> float:
        """Milliseconds."""
        return statistics.median(self.times) * 1000

    @property
    def line(self) -> str:
        """The statement, on one short line."""
        words = " ".join(self.sql.split())
        tables = words.partition(" FROM ")
        return (tables[0][:30] + "… FROM " + tables[2] if words.startswith("SELECT") else words)[:150]


def _measure(owner: str, given: argparse.Namespace) -> dict[tuple[str, str], dict[str, Found]]:
    from tests.support.plans import large_tables, shape, timed_statements, whole_reads

    tables = large_tables()
    found: dict[tuple[str, str], dict[str, Found]] = defaultdict(dict)
    for number in range(given.repeat + 1):
        for group, name, call in _rounds(owner, number):
            if given.only not in f"{group}: {name}":
                continue
            with timed_statements() as made:
                answer = call()
            if getattr(answer, "status_code", 200) == 500:
                raise SystemExit(f"{name} answered {answer.status_code}")
            if hasattr(answer, "streaming_content"):
                b"".join(answer)
            known = found[group, name]
            for sql, params, seconds in made:
                one = known.setdefault(shape(sql), Found(sql, params))
                if number == 0:  # warm-up: everything is read once; the plans are looked up here
                    one.scans = one.scans or whole_reads(sql, params, tables)
                    one.params = repr(params)
                if number or not one.times:
                    one.times = one.times if number > 1 else []
                    one.times.append(seconds)
        print(f"round {number} of {given.repeat}", file=sys.stderr, flush=True)
    return found


def _report(found: dict[tuple[str, str], dict[str, Found]]) -> dict[str, Any]:
    print("\n| request or duty | statements | slowest, p50 ms | |")
    print("| --- | --- | --- | --- |")
    missed = []
    for (group, name), statements in found.items():
        slowest = max(statements.values(), key=lambda one: one.median, default=None)
        if slowest is None:
            continue
        scans = [one for one in statements.values() if one.scans]
        over = [one for one in statements.values() if one.median > MARK]
        note = "scan " * bool(scans) + "slow " * bool(over)
        print(f"| {group}: {name} | {len(statements)} | {three_digits(slowest.median)} | {note}|")
        missed += [(group, name, one) for one in {*scans, *over}]
    for group, name, one in missed:
        print(f"\n{group}: {name}: {one.median:.1f} ms\n  {one.line}")
        for line in one.scans:
            print(f"  {line}")
    worst = sum(group not in _WITHOUT_MARK for group, _, _ in missed)
    print(f"\n{worst} statements of requests and heartbeats missed the mark ({MARK:g} ms, no scan)")
    return {
        f"{group}: {name}": [
            {"ms": one.median, "scans": one.scans, "sql": one.sql, "params": str(one.params)}
            for one in statements.values()
        ]
        for (group, name), statements in found.items()
    }


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="", help="calls with this text in their name")
    parser.add_argument(
        "--keep", action="store_true", help="use the database file of the last run, and keep it"
    )
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    if not given.keep:
        shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir(parents=True, exist_ok=True)
    store = Store(RUN / "store", aof=False)
    try:
        _settings(store, os.environ.get("DATABASE_URL") or f"sqlite:///{RUN / 'db.sqlite3'}")
        from django.db import connection

        from tests.support.growth.fill import Size

        owner = _prepare(Size(given.jobs, given.messages, given.threads))
        load = os.getloadavg()[0]
        found = _measure(owner, given)
        print(f"{connection.display_name}, Python {platform.python_version()}, load before {load:.1f}")
        (RUN / "growth.json").write_text(json.dumps(_report(found), indent=1))
    finally:
        store.process.stop()
        if not given.keep:
            for file in RUN.glob("db.sqlite3*"):
                file.unlink()


if __name__ == "__main__":
    main()
