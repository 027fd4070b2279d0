"""The name of a worker process, and what its heartbeat contains."""

import ctypes
import os
import resource
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from queueing.conf import get_conf
from queueing.schedule import presence
from queueing.worker.served_queues import served_queues


class Shared(ctypes.Structure):
    """What a worker tells its supervisor, in shared memory without a lock."""

    _fields_: ClassVar = [("beats", ctypes.c_ulong), ("is_leaving", ctypes.c_bool)]


@dataclass(kw_only=True)
class Identity:
    """A worker process as tokens, heartbeats and the dashboard name it."""

    cluster: str
    """The cluster's short id: concurrency is counted by it."""
    queues: tuple[str, ...] = field(default_factory=served_queues)
    """The names of the queues that it serves."""
    is_quiet: bool = False
    """Whether it claims no jobs. Operators and signals change it while the worker runs."""
    name: str = field(default_factory=lambda: uuid4().hex[:8])
    started: float = field(default_factory=time.time)
    _began: float = field(default_factory=time.monotonic)
    shared: Any = None
    """A `Shared` that the supervisor reads; None in a worker without one."""
    supervisor_pipe: tuple[int, int] | None = None
    """Both ends of a pipe whose write end only the supervisor holds: EOF means that the supervisor died."""

    is_prober: bool = False
    """Whether the process runs one suspect, alone (prober.py)."""
    is_orphan: bool = False
    """Whether the supervisor has died: the cluster ends without having been stopped."""
    suspects: Any = None
    """The number of suspects that wait, in memory shared by a cluster. The supervisor reads it."""

    def expect_suspects(self, number: int) -> None:
        """Let the supervisor know how many suspects wait for a prober."""
        if self.suspects is not None:
            self.suspects.value = number

    def become_orphan(self) -> None:
        """Note that the supervisor has died."""
        self.is_orphan = True

    def beat(self) -> None:
        """Give the supervisor a sign of life."""
        if self.shared is not None:
            self.shared.beats += 1

    def ask_for_replacement(self) -> None:
        """Let the supervisor start another worker now. This one ends soon, and is then not replaced again."""
        if self.shared is not None:
            self.shared.is_leaving = True

    @property
    def id(self) -> str:
        """`cluster/name`; the token of a claim adds a number."""
        return f"{self.cluster}/{self.name}"

    def heartbeat(self, *, active: int, slots: int, needs: Sequence[str], listens: bool) -> dict[str, Any]:
        """Return the heartbeat of a worker that runs `active` jobs and may run `slots`, without its time.

        `needs` are the digests of the needs of parked jobs that the worker meets. `listens` says whether it
        receives notifications.
        """
        return {
            "id": self.id,
            "cluster": self.cluster,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "started": self.started,
            "up": round(time.monotonic() - self._began, 1),
            "running": active,
            "slots": slots,
            "queues": list(self.queues),
            "quiet": self.is_quiet,
            "needs": list(needs),
            "listens": listens,
            "leaving": bool(self.shared and self.shared.is_leaving),
            "gone": self.is_orphan,
            "memory": rss_bytes(),
            "version": get_conf().version,
            "limits": presence.own_limits(),
        }


def rss_bytes() -> int:
    """Return this process's resident memory in bytes; without /proc, its peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
