"""What the log says while Redis is unavailable: one line at first, one a minute, and one at the end (O12).

Many parts of a process notice an outage, some of them every second. Together they write these lines.
"""

import logging
import time
from threading import Lock

logger = logging.getLogger(__name__)

#: Seconds between two lines.
QUIET = 60.0


class OutageLog:
    """The outages of one process. Can be used from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._since: float | None = None
        self._logged = float("-inf")
        self._is_known = False
        """Whether a line was written in this outage."""

    def failed(self, exc: BaseException) -> None:
        """Note that a call failed, which is tried again by itself."""
        now = time.monotonic()
        with self._lock:
            self._since = self._since or now
            if now - self._logged < QUIET:
                return
            self._logged, self._is_known = now, True
            lasting = f" for {now - self._since:.0f} s" if now > self._since else ""
        logger.warning("Redis is unavailable%s (%s); trying again until it answers", lasting, exc)

    def worked(self) -> None:
        """Note that a call worked."""
        if self._since is None:
            return
        with self._lock:
            since, is_known = self._since, self._is_known
            self._since, self._is_known = None, False
        if since is not None and is_known:
            logger.warning("Redis is available again, after %.1f s", time.monotonic() - since)


redis_outage = OutageLog()
