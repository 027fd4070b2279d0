"""Celery: `python celery_app.py COMMAND …` with the commands of bench/ours.py."""

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
    """Do nothing."""


@app.task(acks_late=True)  # so that the store shows when it has finished
def sleep(n: int = 0) -> None:
    """Wait for a second."""
    time.sleep(1)


@app.task
def stamp(sent: int) -> None:
    """Record the nanoseconds since the task was sent."""
    line = f"{time.monotonic_ns() - sent}\n"
    with open(os.environ["BENCH_STAMPS"], "a") as stamps:
        stamps.write(line)


def fill(kind: str, count: str) -> None:
    """Submit jobs in groups of a thousand, which is Celery's bulk call."""
    task = app.tasks[f"celery_app.{kind}"]
    task.delay(0)
    started = time.perf_counter()
    for done in range(1, int(count), 1000):
        group(task.s(n) for n in range(done, min(done + 1000, int(count)))).apply_async()
    print(time.perf_counter() - started)


def single(count: str) -> None:
    """Submit jobs one by one."""
    noop.delay(0)
    started = time.perf_counter()
    for n in range(int(count)):
        noop.delay(n)
    print(time.perf_counter() - started)


def pace(count: str) -> None:
    """Submit jobs at random moments, each to an idle system."""
    for _ in range(int(count)):
        time.sleep(random.uniform(0.005, 0.025))
        stamp.delay(time.monotonic_ns())


def work(slots: str, processes: str) -> None:
    """Start a worker, with threads for more than a hundred slots, else with processes."""
    pool = ["-P", "threads", "-c", slots] if int(slots) > 100 else ["-P", "prefork", "-c", processes]
    quiet = ["--without-gossip", "--without-mingle", "-l", "ERROR"]
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-A", "celery_app", "worker", *pool, *quiet])


if __name__ == "__main__":
    {"fill": fill, "single": single, "pace": pace, "work": work}[sys.argv[1]](*sys.argv[2:])
