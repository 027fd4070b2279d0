"""A small cache for one process, so that ten open pages cost no more queries than one."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

#: The maximum number of values; the oldest are dropped first.
_MAX_VALUES = 100
#: A value that was slow to read is kept for this many times the reading time, but not longer than this many
#: seconds, so that the page stays live on a busy machine.
_REST_FACTOR, _MAX_REST = 10, 5.0


class TTLCache:
    """Values by name. The caller decides how old a value may be."""

    def __init__(self) -> None:
        self._values: dict[Hashable, tuple[float, float, Any]] = {}
        """Name -> when it was read (monotonic), how many seconds reading took, the value."""

    async def get(
        self, name: Hashable, seconds: float, read: Callable[[], Awaitable[Any]], *, rest: bool = True
    ) -> Any:
        """Return the value `name`; await `read()` if it is older than `seconds`. Errors are not cached.

        With `rest`, a value that was slow to read is kept longer, up to five seconds, so that reading takes a
        small part of the time. Values that are made of cached values need no rest: it would add to their age.
        """
        began = time.monotonic()
        if name in self._values:
            since, took, value = self._values[name]
            if began - since < max(seconds, min(_REST_FACTOR * took, _MAX_REST) if rest else 0):
                return value
        value = await read()
        now = time.monotonic()
        self._values.pop(name, None)
        self._values[name] = now, now - began, value
        if len(self._values) > _MAX_VALUES:
            del self._values[next(iter(self._values))]
        return value
