"""The one state machine: what a job can be, and which moves exist.

Redis (`lua/*.lua`), the database (`Job.state`) and this enum agree; `tests/queueing/test_states.py`
fails when they do not. The picture is in docs/engine.md.
"""

from enum import StrEnum


class State(StrEnum):
    """A job's state. `paused` is a queue's, `stalled` and `retrying` are events: counts add up."""

    WAITING = "waiting"
    """Could run now: waits for a slot, a limiter, a cooldown or the end of a pause."""

    DELAYED = "delayed"
    """Runs later: asked for by the caller, by a retry's backoff, or held by an unfinished parent."""

    ACTIVE = "active"
    """Claimed by a worker that holds its token and renews its lease."""

    COMPLETED = "completed"
    """Its handler returned; the result is in the record."""

    FAILED = "failed"
    """Out of attempts, or failed in a way that cannot get better."""

    CANCELLED = "cancelled"
    """Stopped by its owner or an operator."""


#: Not over yet: every such row is in Redis' schedule, or reconciliation puts it there.
UNFINISHED = frozenset({State.WAITING, State.DELAYED, State.ACTIVE})

#: Over. Only `retry` by a person leads out of failed and cancelled, as a fresh run of the job.
FINISHED = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})

#: verb -> (states it starts from, state it ends in). Each verb is one atomic, guarded step.
TRANSITIONS: dict[str, tuple[frozenset[State], State]] = {
    "claim": (UNFINISHED, State.ACTIVE),
    "complete": (frozenset({State.ACTIVE}), State.COMPLETED),
    "fail": (UNFINISHED, State.FAILED),
    "retry_later": (frozenset({State.ACTIVE}), State.DELAYED),
    "release": (frozenset({State.ACTIVE}), State.WAITING),
    "stall": (frozenset({State.ACTIVE}), State.WAITING),
    "promote": (frozenset({State.DELAYED}), State.WAITING),
    "cancel": (UNFINISHED, State.CANCELLED),
    "retry": (frozenset({State.FAILED, State.CANCELLED}), State.WAITING),
}


def sql_condition(states: frozenset[State]) -> str:
    """The states as an SQL condition, for `extra(where=[…])`.

    SQLite uses a partial index only where a query has the condition in its very words, not as parameters.
    """
    return f"state IN ({', '.join(repr(state.value) for state in sorted(states))})"
