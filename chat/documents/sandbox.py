"""Reading files of strangers where they can do no harm: in a process with limits to what it may take.

It is told nothing of our environment, and of what it cannot cope with it alone dies.
"""

import json
import logging
import subprocess
import sys
import tempfile
import threading
from typing import BinaryIO

from django.conf import settings

from chat.errors import Busy, InvalidInput

from .reader import MAX_BYTES, Document

logger = logging.getLogger(__name__)

#: Seconds that a file may take to read.
TIMEOUT = 30.0
#: Files that one process of ours has read at once, and the seconds that one more waits for its turn.
AT_ONCE = 2
TURN = 15.0

_COPY = 1024 * 1024
_turns = threading.Semaphore(AT_ONCE)


def read(stream: BinaryIO, name: str) -> Document:
    """The document in a file. Blocks, for a second as a rule.

    Raises `InvalidInput("file", …)` when there is none to be had from it, `Busy` when too many files
    are being read just now.
    """
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as answer:
        _copy(stream, file)
        if not _turns.acquire(timeout=TURN):
            raise Busy("queue_full", "Many documents are being read just now.", 10.0)
        try:
            code = _run(file, answer, name)
        finally:
            _turns.release()
        answer.seek(0)
        return _understood(code, answer.read())


def _copy(stream: BinaryIO, file: BinaryIO) -> None:
    left = MAX_BYTES
    while data := stream.read(_COPY):
        left -= len(data)
        if left < 0:
            raise InvalidInput("file", f"This file is larger than {MAX_BYTES // 2**20} MB.")
        file.write(data)
    file.seek(0)


def _run(file: BinaryIO, answer: BinaryIO, name: str) -> int | None:
    """The exit code; None when it took too long."""
    command = [sys.executable, "-m", "chat.documents.reader", name[-120:].replace("\x00", "")]
    try:
        return subprocess.run(  # noqa: S603 (the command is ours; the name is an argument that only names)
            command,
            stdin=file,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            cwd=settings.BASE_DIR,
            env={"LC_ALL": "C.UTF-8"},
            timeout=TIMEOUT,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def _understood(code: int | None, answer: bytes) -> Document:
    try:
        found = json.loads(answer) if code == 0 else {}
    except ValueError:
        found = {}
    if "text" in found:
        return Document(**found)
    if "message" in found:
        raise InvalidInput("file", found["message"])
    logger.warning("a document could not be read: the reader ended with %s", code)
    raise InvalidInput("file", "This file takes longer or more memory to read than a document can.")
