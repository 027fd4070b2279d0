"""What model calls use and cost, and the daily budgets that bound it.

    reserve(owner, job_id, tokens)   before the call; `Rejected` when the day's budget has no room
    record(job_id=…, owner=…, …)     after each call, however it ended: it is paid out of what was reserved
    settle(job_id)                   in the job's `on_end`: what is still reserved is free again
    spent_today(owner)               the day's totals

See `docs/usage.md`. Code that calls the model on a worker's loop uses `chat.replies.model_calls`, which
does all this.
"""

from typing import Any

__all__ = ["record", "reserve", "settle", "spent_today"]


def __getattr__(name: str) -> Any:
    """The functions live beside their tables, which Django loads only after this package."""
    if name not in __all__:
        raise AttributeError(name)
    from . import budgets, ledger

    return getattr(ledger if name in ("record", "spent_today") else budgets, name)
