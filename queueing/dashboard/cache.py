"""What was read a moment ago, so that ten tabs ask no more than one does."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

#: Values kept; the oldest go first.
_MOST = 100
#: What was slow to read is kept so many times as long as that took, but no longer than "live" allows: on a
#: busy machine everything is slow.
_REST, _LONGEST_REST = 10, 5.0


class Kept:
    """Values by name, each for so long as whoever asks finds it fresh."""

    def __init__(self) -> None:
        self._values: dict[Hashable, tuple[float, float, Any]] = {}
        """Name -> when it was there, how long reading it had taken, the value."""

    async def get(
        self, name: Hashable, seconds: float, read: Callable[[], Awaitable[Any]], *, rest: bool = True
    ) -> Any:
        """The value `name`, read again if it is older than `seconds`. What fails is not kept.

        With `rest`, what was slow to read is kept longer, up to five seconds, so that reading takes a small
        part of the time. What is made of kept values needs none, and would add its age to theirs.
        """
        began = time.monotonic()
        if name in self._values:
            since, took, value = self._values[name]
            if began - since < max(seconds, min(_REST * took, _LONGEST_REST) if rest else 0):
                return value
        value = await read()
        now = time.monotonic()
        self._values.pop(name, None)
        self._values[name] = now, now - began, value
        if len(self._values) > _MOST:
            del self._values[next(iter(self._values))]
        return value
