"""Sums that only grow, over tables that are too large to be summed for each request."""

from collections import Counter
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from django.utils import timezone

K = TypeVar("K", bound=Hashable)

#: The age from which a row does not change any more: workers rewrite a minute until it has ended.
_FINAL_AFTER = timedelta(hours=1)
#: The time without a call after which everything is read again, because rows have been merged meanwhile.
_STALE_AFTER = timedelta(days=1)


class CumulativeSums(Generic[K]):
    """Cumulative sums of what `read(since, until)` returns; `since` None means from the first row.

    Final rows are read once and kept in this process, so rows that are deleted later still count.
    """

    def __init__(self, read: Callable[[datetime | None, datetime | None], Counter[K]]) -> None:
        self._read = read
        self._lock = Lock()
        self._until: datetime | None = None
        self._sums: Counter[K] = Counter()

    def total(self) -> Counter[K]:
        """Return the sums of all rows up to now. Blocks."""
        with self._lock:
            until = timezone.now() - _FINAL_AFTER
            if self._until is None or until - self._until > _STALE_AFTER:
                self._until, self._sums = until, self._read(None, until)
            elif until > self._until:
                self._sums.update(self._read(self._until, until))
                self._until = until
            return self._sums + self._read(until, None)
