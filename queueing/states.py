"""The state machine of a job: its states, and the moves between them.

Redis (`schedule/lua/*.lua`), the database (`Job.state`) and this enum have the same states;
`tests/queueing/test_states.py` checks that. docs/engine.md has a picture.
"""

from enum import StrEnum


class State(StrEnum):
    """The state of a job. `paused` is a state of queues; `stalled` and `retrying` are events, not states."""

    WAITING = "waiting"
    """Can run now, and waits for a slot, a limiter, a cooldown or the end of a pause."""

    DELAYED = "delayed"
    """Runs later: after a delay of the submission, after a backoff, or after unfinished parents."""

    ACTIVE = "active"
    """Claimed by a worker, which has the token and renews the lease."""

    COMPLETED = "completed"
    """The handler returned, and the result is on record."""

    FAILED = "failed"
    """All attempts failed, or one failed in a way that a retry cannot fix."""

    CANCELLED = "cancelled"
    """Stopped by the owner or an operator."""


#: The states of unfinished jobs. Every such row is in the schedule, or reconciliation puts it there.
UNFINISHED = frozenset({State.WAITING, State.DELAYED, State.ACTIVE})

#: The states of finished jobs. Only a retry by a person leads out of failed and cancelled.
FINISHED = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})

#: Move -> (states it starts from, state it ends in). Each move is one atomic, guarded step.
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
    """Return a condition on `state` as literal SQL, for `extra(where=[…])`.

    SQLite uses a partial index only if the query repeats its condition literally, not as parameters.
    """
    return f"state IN ({', '.join(repr(state.value) for state in sorted(states))})"
