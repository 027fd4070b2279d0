"""Locks under var/: a service of `make run` holds one until its last process has ended."""

import fcntl
import json
import os
import time
from pathlib import Path

from .bootstrap import Problem

LOCK_TIMEOUT = 10.0
"""Seconds to wait until the watchdog has ended the services of a supervisor that was killed."""


def acquire(path: Path, what: str) -> int:
    """Lock the file and return the descriptor. Raise `Problem` when another process has the lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_TIMEOUT
    while not _locked(descriptor):
        pid, address = _holder(path)
        if (pid and _is_alive(pid)) or time.monotonic() > deadline:
            os.close(descriptor)
            raise Problem(f"{what} is already running at {address} (pid {pid}). To stop it: kill {pid}")
        time.sleep(0.1)
    os.truncate(descriptor, 0)
    return descriptor


def write_holder(descriptor: int, address: str) -> None:
    """Write our process id and address into the locked file, for the error message of a second start."""
    os.pwrite(descriptor, json.dumps([os.getpid(), address]).encode(), 0)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> tuple[int, str]:
    try:
        pid, address = json.loads(path.read_text())
    except ValueError:  # the holder has not written it yet
        return 0, "an unknown address"
    return pid, address


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is alive and belongs to another user
        return True
    return True
