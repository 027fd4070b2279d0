"""Sums that only grow, over tables too large to add up at each look."""

from collections import Counter
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from django.utils import timezone

K = TypeVar("K", bound=Hashable)

#: How old a row is when it no longer changes: workers write a minute again until it is over.
_SETTLED = timedelta(hours=1)
#: After so long without a look all is read anew: rows have been compacted meanwhile.
_STALE = timedelta(days=1)


class CumulativeSums(Generic[K]):
    """`read(since, until)` gives the sums of rows from `since` (None: from the first) and before `until`.

    What is settled is read once and kept by this process, so what is deleted later is not missed.
    """

    def __init__(self, read: Callable[[datetime | None, datetime | None], Counter[K]]) -> None:
        self._read = read
        self._lock = Lock()
        self._until: datetime | None = None
        self._sums: Counter[K] = Counter()

    def total(self) -> Counter[K]:
        """The sums of all rows up to now. Blocks."""
        with self._lock:
            until = timezone.now() - _SETTLED
            if self._until is None or until - self._until > _STALE:
                self._until, self._sums = until, self._read(None, until)
            elif until > self._until:
                self._sums.update(self._read(self._until, until))
                self._until = until
            return self._sums + self._read(until, None)
