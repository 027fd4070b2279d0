"""Compute the wait between a failed attempt and the next one."""

import random

from queueing.conf import Backoff


def delay_before_retry(backoff: Backoff, attempt: int, *, floor: float = 0.0) -> float:
    """Return the seconds to wait after `attempt` (1 for the first) has failed.

    fixed:        delay
    exponential:  delay × 2^(attempt − 1), as BullMQ counts: 1×, 2×, 4× (Bull's is 1×, 3×, 7×)

    The maximum is `max_delay`. With jitter j the wait is drawn evenly from [wait × (1 − j), wait], so that
    jobs that failed together are not retried together. `floor` is the minimum, for example the provider's
    `Retry-After`.
    """
    if backoff.type == "none":
        wait = 0.0
    elif backoff.type == "fixed":
        wait = backoff.delay
    else:
        # 2^63 seconds exceed any max_delay; the limit keeps the power a finite float.
        wait = backoff.delay * 2.0 ** min(attempt - 1, 63)
    wait = min(wait, backoff.max_delay)
    if backoff.jitter:
        wait *= 1 - backoff.jitter * random.random()  # noqa: S311 (not a secret)
    return max(wait, floor)
