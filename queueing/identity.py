"""Who a worker is."""

import os
import socket
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4


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
        }
