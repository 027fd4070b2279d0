"""Find out whether the database takes writes now, once for all parts of a worker."""

import asyncio
import logging
import time

from django.db import Error as DatabaseError
from django.db import connection

from .database_thread import DatabaseThread
from .outage import is_full

logger = logging.getLogger(__name__)

#: Seconds between trials while the database is unavailable: the first and the longest; each is doubled.
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 2.0
#: Seconds to wait when the disk is full, since a trial is small and may succeed.
_FULL_WAIT = 10.0


class Availability:
    """The state of the database as one worker knows it. After an error all its parts wait for one trial.

    A trial is a write that changes nothing. It shows whether the database refuses one row or everything. The
    class of an error does not.
    """

    def __init__(self, database: DatabaseThread) -> None:
        self._database = database
        self._available = asyncio.Event()
        self._available.set()
        self._trials: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Return when the database is available, as far as is known."""
        await self._available.wait()

    async def refuses_all(self, error: BaseException, job_id: str) -> bool:
        """Return whether the database refuses everything now, and not only what raised `error`.

        `job_id` is a job whose row may be written.
        """
        if self._available.is_set():
            if not is_full(error) and await self._takes_writes(job_id):
                return False
            if self._available.is_set():
                self._available.clear()
                logger.error("the database is unavailable: %s", str(error).strip())
                self._trials = asyncio.create_task(self._try_until_it_works(error, job_id))
        return True

    async def _try_until_it_works(self, error: BaseException, job_id: str) -> None:
        began, wait = time.monotonic(), _FULL_WAIT if is_full(error) else _FIRST_WAIT
        await asyncio.sleep(wait)
        while not await self._takes_writes(job_id):
            wait = min(2 * wait, _LONGEST_WAIT)
            await asyncio.sleep(wait)
        logger.warning("the database is available again, after %.1f s", time.monotonic() - began)
        self._available.set()

    async def _takes_writes(self, job_id: str) -> bool:
        try:
            await self._database.run_sync(_write_nothing_new, job_id)
        except DatabaseError:
            return False
        return True


def _write_nothing_new(job_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE queueing_job SET token = token WHERE id = %s", [job_id])
