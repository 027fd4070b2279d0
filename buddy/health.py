"""/healthz and /readyz, for load balancers and orchestrators: is the process alive, is it ready."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor

from channels.layers import get_channel_layer
from django.conf import settings
from django.db import close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from chat.limits import disk
from queueing.api import monitoring, redis
from queueing.api.sockets import close_channel

#: Maximum seconds of one check. All checks run at the same time, so this is also the maximum of an answer.
TIMEOUT = 1.5

# A separate thread: a database that does not answer delays the next probe, but not the requests of visitors.
_database_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")


async def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200. Use no other service, so that a failure of one does not restart this process."""
    return JsonResponse({"alive": True})


async def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when all services work, else 503 with what is missing."""
    loop = asyncio.get_running_loop()
    database, cache, layer, workers = await asyncio.gather(
        _within(loop.run_in_executor(_database_thread, _database)),
        _within(_redis()),
        _within(channel_layer_state()),
        _within(monitoring.workers_alive()),
    )
    checks = {
        "database": database,
        "redis": cache,
        "events": layer,
        "workers": workers,
        "model": _model(),
        "disk": _disk(),
    }
    ready = database == cache == layer == "ok" and isinstance(workers, int) and workers > 0
    if workers == 0:
        checks["workers"] = "no worker is running and receives notifications: start manage.py qcluster"
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


async def _within(check: Awaitable[str | int]) -> str | int:
    """Return the result of the check, or the reason for a failure, without addresses: the page is public."""
    try:
        return await asyncio.wait_for(check, TIMEOUT)
    except TimeoutError:
        return f"no answer within {TIMEOUT} s"
    except Exception as exc:
        return f"unavailable ({type(exc).__name__})"


#: True after all migrations were found. They are then not checked again.
_migrated = False


def _database() -> str:
    """Return `ok` when the database answers and has all migrations."""
    global _migrated
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return "ok" if _migrated else "migrations are missing: run manage.py migrate"
    finally:
        close_old_connections()


async def _redis() -> str:
    await redis.aclient().ping()
    return "ok"


async def channel_layer_state() -> str:
    """Return `ok` when this process receives what it sends to itself."""
    layer = get_channel_layer()
    channel = await layer.new_channel("ready.")
    try:
        await layer.send(channel, {"type": "ready"})
        await layer.receive(channel)
    finally:
        await close_channel(layer, channel)
    return "ok"


def _disk() -> str:
    """Return `ok`, or that what clients send is refused. What is stored can be read, so it is ready."""
    return "nearly full: what clients send is refused" if disk.is_nearly_full() else "ok"


def _model() -> str:
    """Return the name of the model. It is not required: messages wait in the queue until there is one."""
    if settings.DEMO_MODEL:
        return f"demo ({settings.OPENAI_MODEL})" if settings.OPENAI_MODEL else "demo"
    if not (settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL):
        return "none is configured: set OPENAI_API_KEY or OPENAI_BASE_URL"
    return str(settings.OPENAI_MODEL) or "OPENAI_MODEL is empty"
