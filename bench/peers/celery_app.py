"""Celery: `python celery_app.py COMMAND …`, the same commands as bench/ours.py."""

import os
import random
import sys
import time

from celery import Celery, group

app = Celery("celery_app", broker=os.environ["BENCH_REDIS"])
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 64


@app.task
def noop(n: int = 0) -> None:
    """Nothing."""


@app.task(acks_late=True)  # so that the store tells when it is over
def sleep(n: int = 0) -> None:
    """A second of waiting."""
    time.sleep(1)


@app.task
def stamp(sent: int) -> None:
    """Note the nanoseconds since the task was sent."""
    line = f"{time.monotonic_ns() - sent}\n"
    with open(os.environ["BENCH_STAMPS"], "a") as stamps:
        stamps.write(line)


def fill(kind: str, count: str) -> None:
    """By groups of a thousand, its bulk."""
    task = app.tasks[f"celery_app.{kind}"]
    task.delay(0)
    started = time.perf_counter()
    for done in range(1, int(count), 1000):
        group(task.s(n) for n in range(done, min(done + 1000, int(count)))).apply_async()
    print(time.perf_counter() - started)


def single(count: str) -> None:
    """One by one."""
    noop.delay(0)
    started = time.perf_counter()
    for n in range(int(count)):
        noop.delay(n)
    print(time.perf_counter() - started)


def pace(count: str) -> None:
    """Each task finds an idle system."""
    for _ in range(int(count)):
        time.sleep(random.uniform(0.005, 0.025))
        stamp.delay(time.monotonic_ns())


def work(slots: str, processes: str) -> None:
    """A pool of threads when asked for hundreds of slots, else processes."""
    pool = ["-P", "threads", "-c", slots] if int(slots) > 100 else ["-P", "prefork", "-c", processes]
    quiet = ["--without-gossip", "--without-mingle", "-l", "ERROR"]
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-A", "celery_app", "worker", *pool, *quiet])


if __name__ == "__main__":
    {"fill": fill, "single": single, "pace": pace, "work": work}[sys.argv[1]](*sys.argv[2:])
