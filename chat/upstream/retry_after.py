"""Read the wait that a provider requests in the headers of its answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

#: Seconds to wait when the provider reports a rate limit without a wait.
RATE_LIMIT_WAIT = 5.0
#: Maximum in seconds: a daily limit requests hours, but a raised limit should take effect sooner.
MAX_WAIT = 300.0


def requested_wait(headers: Mapping[str, str] | None) -> float | None:
    """Return the wait in seconds (above 0, at most `MAX_WAIT`), or None if the headers request none.

    `retry-after-ms` takes precedence over `retry-after`, which holds seconds or an HTTP date.
    """
    headers = headers or {}
    waits = (_number(headers.get("retry-after-ms"), 0.001), _retry_after(headers.get("retry-after")))
    for wait in waits:
        if wait is not None and wait > 0:
            return min(wait, MAX_WAIT)
    return None


def _number(text: str | None, unit: float = 1.0) -> float | None:
    try:
        number = float(text or "") * unit
    except ValueError:
        return None
    return number if isfinite(number) else None


def _retry_after(text: str | None) -> float | None:
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:  # "-0000", which HTTP allows
        until = until.replace(tzinfo=UTC)
    return (until - datetime.now(UTC)).total_seconds()
