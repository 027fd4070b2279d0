"""Reading the schedule: counts and positions."""

from collections.abc import Sequence

from queueing.conf import Limiter
from queueing.schedule.redis_client import ScriptCall
from queueing.schedule.replies import Counts, Position, read_counts, read_positions

from .keys import limiter_args, script_keys, unable_keys
from .submission import account


def counts(
    queue: str, owner: str = "", limiter: Limiter | None = None, *, share: str = ""
) -> ScriptCall[Counts]:
    """Count the queue's jobs, those of `owner` and of its share, and the starts in the limiter's window."""
    return ScriptCall(
        "counts", script_keys(queue), [account(owner, share), limiter_args(limiter)[1]], read_counts
    )


def positions(queue: str, ids: Sequence[str]) -> ScriptCall[list[Position | None]]:
    """Find where jobs are in the schedule. Replies with None for each unknown job."""
    return ScriptCall("positions", script_keys(queue) + unable_keys(), list(ids), read_positions)
