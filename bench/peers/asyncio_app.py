"""SAQ and arq: `python asyncio_app.py (saq|arq) COMMAND …` with `fill` and `work` of bench/ours.py."""

import asyncio
import os
import sys
import time
from typing import Any

URL = os.environ["BENCH_REDIS"]


async def noop(ctx: dict[str, Any], **args: Any) -> None:
    """Do nothing."""


async def sleep(ctx: dict[str, Any], **args: Any) -> None:
    """Wait for a second."""
    await asyncio.sleep(1)


async def fill(library: str, kind: str, count: int) -> None:
    """Submit jobs one by one, a hundred at the same time: both have no bulk call."""
    if library == "saq":
        from saq import Queue

        enqueue = Queue.from_url(URL, name="bench").enqueue
    else:
        from arq import create_pool
        from arq.connections import RedisSettings

        enqueue = (await create_pool(RedisSettings.from_dsn(URL))).enqueue_job
    started = time.perf_counter()
    for done in range(0, count, 100):
        await asyncio.gather(*(enqueue(kind, n=n) for n in range(done, min(done + 100, count))))
    print(time.perf_counter() - started)


def work(library: str, slots: int) -> None:
    """Run a worker in the foreground."""
    if library == "saq":
        from saq import Queue, Worker

        queue = Queue.from_url(URL, name="bench")
        asyncio.run(Worker(queue, functions=[noop, sleep], concurrency=slots).start())
    else:
        from arq.connections import RedisSettings
        from arq.worker import Worker as ArqWorker

        settings = RedisSettings.from_dsn(URL)
        ArqWorker([noop, sleep], redis_settings=settings, max_jobs=slots, keep_result=0).run()


if __name__ == "__main__":
    library, command, *args = sys.argv[1:]
    if command == "fill":
        asyncio.run(fill(library, args[0], int(args[1])))
    else:
        work(library, int(args[0]))
