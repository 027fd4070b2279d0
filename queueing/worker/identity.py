"""Who a worker is."""

import os
import resource
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from queueing.conf import get_conf


@dataclass(kw_only=True)
class Identity:
    """One worker process, as tokens, heartbeats and the dashboard name it."""

    cluster: str
    """The cluster's short id: concurrency is counted by it."""
    name: str = field(default_factory=lambda: uuid4().hex[:8])
    started: float = field(default_factory=time.time)
    pulse: Any = None
    """Shared memory without a lock: the worker writes the time, the sentinel reads it."""
    lifeline: tuple[int, int] | None = None
    """Both ends of a pipe that only the sentinel keeps open to write: its end is the sentinel's end."""

    @property
    def id(self) -> str:
        """`cluster/name`; a claim's token adds a number."""
        return f"{self.cluster}/{self.name}"

    def card(self, *, held: int, slots: int) -> dict[str, Any]:
        """What the heartbeat says."""
        return {
            "id": self.id,
            "cluster": self.cluster,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": self.started,
            "at": time.time(),
            "running": held,
            "slots": slots,
            "memory": _memory(),
            "version": get_conf().version,
        }


def _memory() -> int:
    """Bytes of memory this process has now; on systems without /proc the most it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
