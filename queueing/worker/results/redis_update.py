"""What recorded results change in Redis."""

from collections import defaultdict

from queueing.conf import get_queue
from queueing.record.attempts import RecordedResults
from queueing.record.run import Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.needs import Need
from queueing.schedule.scripts import Outcome
from queueing.states import State


async def update_redis(recorded: RecordedResults, *, wake: bool) -> None:
    """Put recorded results into Redis. With `wake`, notify other workers of the free slots."""
    finished: dict[str, list[Outcome]] = defaultdict(list)
    delayed: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    released: dict[str, list[tuple[str, str]]] = defaultdict(list)
    behind: dict[str, list[tuple[str, str]]] = defaultdict(list)
    unable: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for r in recorded.won:
        if r.state == State.DELAYED:
            delayed[r.run.queue].append((r.run.id, r.run.token, r.delay))
        elif r.outcome == "unable":
            unable[r.run.queue].append((r.run.id, r.run.token, _need_of(r.run).as_json()))
        elif r.state == State.WAITING:
            (behind if r.lets_pass else released)[r.run.queue].append((r.run.id, r.run.token))
        else:
            finished[r.run.queue].append(Outcome(r.run.id, r.run.token, r.state, r.ran))
    for r in recorded.lost:  # finished, or another worker's: the next claim of it finds out
        released[r.run.queue].append((r.run.id, r.run.token))
    calls: list[redis_client.ScriptCall[list[str]]] = [
        scripts.finish(get_queue(q), rows, wake=wake) for q, rows in finished.items()
    ]
    calls += [scripts.retry_later(q, rows) for q, rows in delayed.items()]
    calls += [scripts.release(q, rows) for q, rows in released.items()]
    calls += [scripts.release(q, rows, behind=True) for q, rows in behind.items()]
    calls += [scripts.park_unable(q, rows) for q, rows in unable.items()]
    for call in calls:
        await redis_client.arun(call)


def _need_of(run: Run) -> Need:
    return Need(run.queue, run.kind_name, run.version, sorted(run.args))
