"""One at a time: a part of `make run` locks a file under var/ for as long as it, or its remains, live."""

import fcntl
import json
import os
import time
from pathlib import Path

from .bootstrap import Problem

PATIENCE = 10.0
"""Seconds to wait for the watchdog to clear up after a supervisor that was killed."""


def acquire(path: Path, what: str) -> int:
    """Lock the file; the descriptor that is returned keeps it locked. `Problem` names another holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + PATIENCE
    while not _locked(descriptor):
        pid, address = _holder(path)
        if (pid and _lives(pid)) or time.monotonic() > deadline:
            os.close(descriptor)
            raise Problem(f"{what} runs already at {address} (pid {pid}). To stop it: kill {pid}")
        time.sleep(0.1)
    os.truncate(descriptor, 0)
    return descriptor


def tell(descriptor: int, where: str) -> None:
    """Write who we are and where into the locked file, for those who come second."""
    os.pwrite(descriptor, json.dumps([os.getpid(), where]).encode(), 0)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> tuple[int, str]:
    try:
        pid, address = json.loads(path.read_text())
    except ValueError:  # the holder is about to write
        return 0, "an address not yet known"
    return pid, address


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and is another user's
        return True
    return True
