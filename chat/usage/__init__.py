"""Tokens and cost of model calls, and the daily budgets that limit them.

    budgets.reserve(owner, job_id, tokens)   before a call; raises `LimitReached` when the budget has no room
    ledger.record(CallRecord(…))             after each call, however it ended; uses up the reservation
    budgets.settle(job_id)                   in the job's `on_end`; releases the rest of the reservation
    ledger.usage_today(owner)                the totals of the day

See `docs/usage.md`. Code on a worker calls the model through `chat.replies.model_calls`, which does all
three steps.
"""
