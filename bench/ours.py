"""The engine's side of a measure, as a separate process: `python -m bench.ours COMMAND …`.

prepare             an empty database
fill KIND N         N jobs by `submit_many`; prints the seconds it took
single N            N submits, one transaction each; prints the seconds they took
work SLOTS PROCS    a cluster in the foreground
pace N              N `stamp` jobs, one at a time, at random moments
completed           the number of completed jobs in the database
"""

import os
import random
import sys
import time

import django


def prepare() -> None:
    """Migrate the database that the environment names."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(kind: str, count: str) -> None:
    """Submit jobs in chunks, as a program with many jobs does."""
    from queueing.submit import submit_many

    started = time.perf_counter()
    for done in range(0, int(count), 10_000):
        submit_many(kind, ({"n": n} for n in range(done, min(done + 10_000, int(count)))))
    print(time.perf_counter() - started)


def single(count: str) -> None:
    """Submit jobs one by one."""
    from queueing.submit import submit

    submit("noop", {"n": 0})  # connects
    started = time.perf_counter()
    for n in range(int(count)):
        submit("noop", {"n": n})
    print(time.perf_counter() - started)


def work(slots: str, processes: str) -> None:
    """Start a cluster, as `manage.py qcluster` does."""
    from django.core.management import call_command

    call_command("qcluster")


def pace(count: str) -> None:
    """Submit jobs at random moments, each to an idle system."""
    from queueing.submit import submit

    for _ in range(int(count)):
        time.sleep(random.uniform(0.005, 0.025))
        submit("stamp", {"sent": time.monotonic_ns()})


def completed() -> None:
    """Print the number of completed jobs in the database."""
    from queueing.models import Job

    print(Job.objects.filter(state="completed").count())


def main(command: str, *args: str) -> None:
    """Run one command."""
    if command == "work":
        os.environ["BENCH_CONCURRENCY"], os.environ["BENCH_WORKERS"] = args
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
    django.setup()
    {"prepare": prepare, "fill": fill, "single": single, "work": work, "pace": pace, "completed": completed}[
        command
    ](*args)


if __name__ == "__main__":
    main(*sys.argv[1:])
