"""What a worker with free slots waits for: a notification, a free slot, or a given time."""

import asyncio

#: Maximum seconds without a notification until a worker with free slots looks for jobs itself.
_MAX_WAIT = 10.0


class Wake:
    """The reason to look for jobs again."""

    def __init__(self) -> None:
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Wake the worker: there may be jobs that it can claim."""
        self._notified.set()

    def clear(self) -> None:
        """Clear notifications. Call it before claiming, so that one during the claim is kept."""
        self._notified.clear()

    async def wait(self, seconds: float | None) -> None:
        """Wait for a notification, for `seconds` at most (None: unknown).

        Never long: a notification can be lost, with its connection or with a Redis that failed over.
        """
        try:
            async with asyncio.timeout(_MAX_WAIT if seconds is None else min(seconds, _MAX_WAIT)):
                await self._notified.wait()
        except TimeoutError:
            return
