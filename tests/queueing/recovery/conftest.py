"""Rounds of reconciliation."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from queueing.record.database_thread import DatabaseThread
from queueing.recovery import reconcile
from queueing.schedule import redis_client


@pytest.fixture
def no_settle_time(monkeypatch) -> None:
    """Reconciliation checks also jobs that were submitted just now."""
    monkeypatch.setattr(reconcile, "_SETTLE_TIME", timedelta(0))


@pytest.fixture
def reconcile_once() -> Callable[[], int]:
    """Call it for one round of a worker that has just started. It returns the number of jobs put back."""

    async def one_round() -> int:
        database = DatabaseThread()
        try:
            return await reconcile.reconcile("w1", database)
        finally:
            database.close()
            await redis_client.aclose()

    return lambda: asyncio.run(one_round())
