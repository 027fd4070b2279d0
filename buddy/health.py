"""What load balancers and orchestrators ask: is the process alive, and can it do its work."""

import asyncio
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from queueing.api import monitoring, redis

#: Seconds one check may take. All run at once, so an answer takes no longer.
TIMEOUT = 1.5

# One thread of its own: a database that hangs holds up the next probe, not the visitors' work.
_database_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="health")


async def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all. Asks nobody else, so that their trouble restarts nothing."""
    return JsonResponse({"alive": True})


async def readyz(request: HttpRequest) -> JsonResponse:
    """200 when a message sent now would be answered; else 503 and what is missing."""
    loop = asyncio.get_running_loop()
    database, cache, workers = await asyncio.gather(
        _within(loop.run_in_executor(_database_thread, _database)),
        _within(_redis()),
        _within(monitoring.workers_alive()),
    )
    checks = {"database": database, "redis": cache, "workers": workers, "model": _model()}
    ready = database == "ok" and cache == "ok" and isinstance(workers, int) and workers > 0
    if workers == 0:
        checks["workers"] = "none is running: start manage.py qcluster"
    return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)


async def _within(check: Awaitable[str | int]) -> str | int:
    """The check's answer, or in a few words why there is none. No addresses: anybody may read this."""
    try:
        return await asyncio.wait_for(check, TIMEOUT)
    except TimeoutError:
        return f"no answer within {TIMEOUT} s"
    except Exception as exc:
        return f"unavailable ({type(exc).__name__})"


_migrated = False


def _database() -> str:
    """`ok` when the database answers and has all migrations. Once seen, they are not looked for again."""
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


def _model() -> str:
    """Who answers. Told, not required: the queue keeps what is asked until there is one."""
    if settings.DEMO_MODEL:
        return f"demo ({settings.OPENAI_MODEL})" if settings.OPENAI_MODEL else "demo"
    if not (settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL):
        return "none is configured: set OPENAI_API_KEY or OPENAI_BASE_URL"
    return str(settings.OPENAI_MODEL) or "OPENAI_MODEL is empty"
