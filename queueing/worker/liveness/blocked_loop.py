"""The end of a worker whose event loop one run blocks for too long: the attempt of this run alone counts."""

import asyncio
import logging
import os
from collections.abc import Sequence
from typing import NoReturn

from queueing import texts
from queueing.errors import Retry
from queueing.events import delivery
from queueing.record import attempts
from queueing.record.database_thread import DatabaseThread
from queueing.record.run import Result
from queueing.worker.results.redis_update import update_redis
from queueing.worker.results.result_writer import event_of_result
from queueing.worker.runs import outcomes
from queueing.worker.runs.active_runs import ActiveRun, Claim, Stop

logger = logging.getLogger(__name__)

#: Seconds to record the results and give the runs back. What is left then stalls, as after a crash.
_TIMEOUT = 10.0


def leave(
    runs: Sequence[ActiveRun],
    waiting: Sequence[Result],
    database: DatabaseThread,
    blocker: Claim,
    stack: str,
) -> NoReturn:
    """Fail the attempt of the blocker, give the other runs back, and end the process.

    Called in another thread than that of the loop. `waiting` are results that were not recorded yet.
    """
    results = [*waiting, *(_result(active, blocker, stack) for active in runs if not active.has_outcome)]
    try:
        asyncio.run(asyncio.wait_for(_settle(results, database), _TIMEOUT))
    except Exception:
        logger.exception("the runs of the blocked loop were not given back")
    os._exit(1)


def _result(active: ActiveRun, blocker: Claim, stack: str) -> Result:
    run = active.output.run
    if (run.id, run.token) == blocker:
        result = outcomes.failed(run, Retry(texts.TOOK_TOO_LONG, code="blocked_loop"), detail=stack)
    elif active.stop is Stop.TIMED_OUT:
        result = outcomes.timed_out(run)
    else:
        result = outcomes.released(run)
    result.text, result.lines = active.output.context.text, active.output.log_lines
    return result


async def _settle(results: list[Result], database: DatabaseThread) -> None:
    recorded = await database.run_sync(attempts.end, results)
    await update_redis(recorded, wake=True)
    await delivery.emit_many([(r.run.owner, event_of_result(r)) for r in recorded.won if r.run.owner])
