"""Kinds of job that the engine's tests run in real workers. They note what they did in Redis."""

import asyncio
import os
import signal
import sys
import time
from typing import Any

from asgiref.sync import sync_to_async

from queueing.context import JobContext
from queueing.errors import Cooldown, Outage, Permanent, Retry
from queueing.kinds import Ending, job
from queueing.options import Limit
from queueing.recurring.definition import recurring
from queueing.schedule import redis_client

from . import forking, hostile, optional, releases, traces  # noqa: F401 (they register their kinds)


async def _note(key: str, value: Any) -> None:
    await redis_client.aclient().rpush(f"note:{key}", value)


def note_ending(ending: Ending) -> None:
    """Write a row for each call of the hook."""
    from .models import Written

    Written.objects.create(job_id=ending.job_id, state=ending.state, text=ending.text)


@job("test.noop", queue="test")
async def noop(ctx: JobContext, **args: Any) -> None:
    """Do nothing."""


@job("test.echo", queue="test", topic="test", on_end=note_ending)
async def echo(ctx: JobContext, *, text: str = "", sleep: float = 0.0) -> dict[str, Any]:
    """Stream the text word by word."""
    await _note("echo", ctx.job_id)
    for word in text.split(" "):
        ctx.delta(word + " ")
        await asyncio.sleep(sleep)
    return {"response": ctx.text}


def _site(args: dict[str, Any], owner: str) -> str | None:
    return args["site"] or None


@job(
    "test.crawl",
    queue="test",
    limits=[Limit("site", by=_site, concurrent=2), Limit("crawler", by="all", concurrent=3)],
)
async def crawl(ctx: JobContext, *, site: str, sleep: float = 0.05) -> int:
    """Return the number of active jobs of the site at the start, this one included."""
    client = redis_client.aclient()
    active = await client.incr(f"note:crawl:{site}")
    await asyncio.sleep(sleep)
    await client.decr(f"note:crawl:{site}")
    return int(active)


@job("test.tick", queue="test")
async def tick(ctx: JobContext) -> dict[str, str]:
    """Return what a recurring job tells its handler."""
    return dict(ctx.meta)


if every := os.environ.get("TEST_RECURRING"):
    recurring("test.declared", every=int(every), kind="test.tick")


@job("test.sync", queue="test")
def plain(ctx: JobContext, *, n: int) -> dict[str, Any]:
    """Return facts about the process, as a plain function that runs in a thread."""
    ctx.progress(1, 1, "done")
    preloaded = getattr(sys.modules.get("tests.queueing.testapp.preloaded"), "PID", 0)
    return {"square": n * n, "pid": os.getpid(), "parent": os.getppid(), "preloaded": preloaded}


def _hang(key: str, ctx: JobContext, seconds: float) -> None:
    """Note the start, run on whatever happens, and note the end."""
    client = redis_client.client()
    client.rpush(f"note:{key}:started", f"{ctx.job_id}:{time.time()}")
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(0.05)
    client.rpush(f"note:{key}:ended", f"{ctx.job_id}:{time.time()}")


@job("test.hang", queue="test")
def hang(ctx: JobContext, *, seconds: float = 600.0) -> None:
    """Ignore timeouts and cancellations, as a plain function."""
    _hang("hang", ctx, seconds)


@job("test.hang-narrow", queue="test-narrow")
def hang_narrow(ctx: JobContext, *, seconds: float = 600.0) -> None:
    """Do the same on the queue with concurrency 2 and a timeout of 1 s."""
    _hang("narrow", ctx, seconds)


async def _stop_the_world(how: str, seconds: float) -> None:
    ends = time.monotonic() + seconds
    if how == "sleep":
        time.sleep(seconds)
    while how == "compute" and time.monotonic() < ends:
        sum(range(100))
    while how == "lock" and time.monotonic() < ends:
        sum(range(10_000_000))  # one call that holds the lock of the interpreter


@job("test.block", queue="test", topic="test")
async def block(ctx: JobContext, *, how: str, seconds: float, name: str = "block") -> None:
    """Block the event loop in the given way: itself, or with `child-` in a task that it starts."""
    await _note(f"{name}:started", f"{ctx.job_id}:{time.time()}")
    for _ in range(2):
        await asyncio.sleep(0.05)
    if how.startswith("child-"):
        await asyncio.gather(_stop_the_world(how.removeprefix("child-"), seconds))
    else:
        await _stop_the_world(how, seconds)


@job("test.sleep", queue="test", topic="test", on_end=note_ending)
async def sleep(ctx: JobContext, *, seconds: float, name: str = "sleep") -> dict[str, Any]:
    """Note the start, sleep, and note the end."""
    await _note(f"{name}:started", f"{ctx.job_id}:{time.time()}")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        await _note(f"{name}:cancelled", ctx.job_id)
        raise
    await _note(f"{name}:ended", ctx.job_id)
    return {}


@job("test.rest", queue="test", topic="test", on_end=note_ending)
async def rest(ctx: JobContext, *, seconds: float) -> dict[str, Any]:
    """Sleep without using Redis or the database, which tests may kill meanwhile."""
    await asyncio.sleep(seconds)
    return {}


@job("test.rows", queue="test", topic="test", on_end=note_ending)
async def rows(ctx: JobContext, *, times: int) -> dict[str, Any]:
    """Read rows again and again, through Django's asynchronous ORM."""
    from .models import Written

    for _ in range(times):
        await Written.objects.acount()
        await asyncio.sleep(0.02)
    return {"times": times}


@job("test.plain_rows", queue="test", topic="test", on_end=note_ending)
def plain_rows(ctx: JobContext, *, times: int) -> dict[str, Any]:
    """Read rows again and again, as a plain function."""
    from .models import Written

    for _ in range(times):
        Written.objects.count()
        time.sleep(0.02)
    return {"times": times}


@job("test.database", queue="test", topic="test")
async def database(ctx: JobContext) -> None:
    """Use a thread without end. asgiref swallows cancellations that arrive meanwhile."""
    await _note("database:started", ctx.job_id)
    try:
        while True:
            await sync_to_async(time.sleep)(0.05)
            ctx.delta("and on ")
    finally:
        await _note("database:ended", ctx.job_id)


@job("test.narrow", queue="test-narrow")
async def narrow(ctx: JobContext, *, seconds: float = 0.0) -> None:
    """Note the start, sleep, and note the end, on a queue with concurrency 2 and a timeout of 1 s."""
    await _note("narrow:started", f"{ctx.job_id}:{time.time()}")
    await asyncio.sleep(seconds)
    await _note("narrow:ended", f"{ctx.job_id}:{time.time()}")


@job("test.limited", queue="test-limited")
async def limited(ctx: JobContext) -> None:
    """Note the start."""
    await _note("limited:started", time.time())


@job("test.flaky", queue="test", topic="test", on_end=note_ending)
async def flaky(ctx: JobContext, *, fail: int, how: str = "error") -> dict[str, Any]:
    """Fail the first `fail` attempts in the given way."""
    tries = await redis_client.aclient().incr(f"tries:{ctx.job_id}")
    if tries > fail:
        return {"attempt": ctx.attempt, "tries": tries}
    if how == "permanent":
        raise Permanent("It cannot work.", code="hopeless")
    if how == "retry":
        raise Retry("Later, please.", code="busy", after=0.5)
    if how == "cooldown":
        raise Cooldown("All must wait.", after=1.0)
    raise RuntimeError("flaky")


async def _call(ctx: JobContext, how: str) -> None:
    """Call a provider that answers as the key `provider` says; to this job alone as `how` says."""
    await _note("call", f"{ctx.job_id}:{time.time()}")
    answer = how or await redis_client.aclient().get("provider") or "up"
    if answer in ("down", "maybe"):
        raise Outage("It does not answer.", code="down", certain=answer == "down")
    if answer == "busy":
        raise Cooldown("It is busy.", after=0.4)
    if answer == "hang":
        await asyncio.sleep(600)


@job("test.call", queue="test-provider", topic="test", on_end=note_ending)
async def call(ctx: JobContext, *, how: str = "", seconds: float = 0.0) -> None:
    """Call the provider, which answers in `seconds`."""
    await _call(ctx, how)
    await asyncio.sleep(seconds)


@job("test.call-too", queue="test-provider-too")
async def call_too(ctx: JobContext) -> None:
    """Call the same provider from another queue."""
    await _call(ctx, "")


@job("test.call-impatient", queue="test-impatient", topic="test", on_end=note_ending)
async def call_impatient(ctx: JobContext) -> None:
    """Call the provider from a queue with little patience."""
    await _call(ctx, "")


@job("test.steps", queue="test", topic="test")
async def steps(ctx: JobContext, *, name: str) -> None:
    """Report the first step of three, and never reach the second."""
    ctx.progress(1, 3, name)
    await asyncio.sleep(600)


@job("test.crash", queue="test", on_end=note_ending)
async def crash(ctx: JobContext, *, times: int) -> None:
    """Kill the worker process in the first `times` runs."""
    if await redis_client.aclient().incr(f"tries:{ctx.job_id}") <= times:
        os.kill(os.getpid(), signal.SIGKILL)


async def noted(key: str) -> str:
    """Note and return a text, as a coroutine function for `async_task`."""
    await _note(key, "awaited")
    return f"awaited {key}"


def hang_task(key: str, seconds: float) -> None:
    """Sleep, as a plain function for `async_task` that exceeds its timeout."""
    redis_client.client().rpush(f"note:{key}:started", time.time())
    time.sleep(seconds)
    redis_client.client().rpush(f"note:{key}:ended", time.time())


def shout(word: str) -> str:
    """Return the word in capitals, as a plain function for `async_task`."""
    return word.upper()


def count_twice(key: str) -> int:
    """Count rows, say so, and count again when asked to."""
    from .models import Written

    Written.objects.count()
    redis_client.client().rpush(f"note:{key}", 1)
    redis_client.client().blpop(["note:go"], 20)
    return Written.objects.count()


def fall_over() -> None:
    """Fail, as a plain function."""
    raise ValueError("no")


def die_once(key: str) -> str:
    """Kill the worker in the first run."""
    if redis_client.client().incr(f"tries:{key}") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


from . import killers  # noqa: E402, F401 (it uses the end hook above)
