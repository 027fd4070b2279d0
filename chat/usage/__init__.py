"""What model calls use and cost, and the daily budgets that bound it.

    budgets.reserve(owner, job_id, tokens)   before the call; `LimitReached` when the day's budget has no room
    ledger.record(job_id=…, owner=…, …)      after each call, however it ended; paid from the reservation
    budgets.settle(job_id)                   in the job's `on_end`: releases what is still reserved
    ledger.spent_today(owner)                the day's totals

See `docs/usage.md`. Code that calls the model on a worker's loop uses `chat.replies.model_calls`, which
does all this.
"""
