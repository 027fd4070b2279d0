"""How long a failed attempt waits before the next."""

import random

from queueing.conf import Backoff


def delay_before_retry(backoff: Backoff, attempt: int, *, floor: float = 0.0) -> float:
    """Seconds to wait after `attempt` (1 for the first) has failed.

    fixed:        delay
    exponential:  delay × 2^(attempt − 1), as BullMQ counts: 1×, 2×, 4× (Bull's is 1×, 3×, 7×)

    At most `max_delay`. With jitter j the wait is drawn evenly from [wait × (1 − j), wait], so that
    jobs that failed together do not come back together. `floor` is the provider's own `Retry-After`
    and is never undercut.
    """
    if backoff.type == "none":
        wait = 0.0
    elif backoff.type == "fixed":
        wait = backoff.delay
    else:
        # 2^63 seconds is beyond any max_delay; the cap keeps the power a finite float.
        wait = backoff.delay * 2.0 ** min(attempt - 1, 63)
    wait = min(wait, backoff.max_delay)
    if backoff.jitter:
        wait *= 1 - backoff.jitter * random.random()  # noqa: S311 (not a secret)
    return max(wait, floor)
