"""How long the provider asks us to wait, from the headers of its answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

#: Seconds to hold back when the provider says "too much" and not for how long.
RATE_LIMIT_WAIT = 5.0
#: Seconds at most: a daily limit names hours, and a raised limit should be noticed sooner.
LONGEST_WAIT = 300.0


def asked_wait(headers: Mapping[str, str] | None) -> float | None:
    """Seconds (above 0, at most `LONGEST_WAIT`) asked for by the headers; None if they name no wait.

    `retry-after-ms` goes before `retry-after`, which holds seconds or an HTTP date.
    """
    headers = headers or {}
    waits = (_number(headers.get("retry-after-ms"), 0.001), _retry_after(headers.get("retry-after")))
    for wait in waits:
        if wait is not None and wait > 0:
            return min(wait, LONGEST_WAIT)
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
    if until.tzinfo is None:  # "-0000", which HTTP does not forbid
        until = until.replace(tzinfo=UTC)
    return (until - datetime.now(UTC)).total_seconds()
