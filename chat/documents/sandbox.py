"""Read untrusted files in a child process with limits on time and memory.

The child gets an empty environment; a file that exhausts its limits ends only the child.
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

from . import texts
from .reader import MAX_BYTES, Document

logger = logging.getLogger(__name__)

#: Maximum seconds to read one file.
TIMEOUT = 30.0
#: Files that one web process reads at the same time.
READ_SLOTS = 2
#: Seconds that a further file waits for a slot.
SLOT_TIMEOUT = 15.0
#: Seconds after which a client should try again when no slot became free.
_RETRY_AFTER = 10.0

_COPY_BYTES = 1024 * 1024
_read_slots = threading.Semaphore(READ_SLOTS)


def read(stream: BinaryIO, name: str) -> Document:
    """Return the document in a file. Blocks, usually for a second.

    Raises `InvalidInput("file", …)` for a file that cannot be read, `Busy` when all read slots are taken.
    """
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as answer:
        _copy(stream, file)
        if not _read_slots.acquire(timeout=SLOT_TIMEOUT):
            raise Busy("queue_full", texts.READERS_BUSY, _RETRY_AFTER)
        try:
            code = _run(file, answer, name)
        finally:
            _read_slots.release()
        answer.seek(0)
        return _parsed(code, answer.read())


def _copy(stream: BinaryIO, file: BinaryIO) -> None:
    bytes_left = MAX_BYTES
    while data := stream.read(_COPY_BYTES):
        bytes_left -= len(data)
        if bytes_left < 0:
            raise InvalidInput("file", texts.file_too_large(MAX_BYTES))
        file.write(data)
    file.seek(0)


def _run(file: BinaryIO, answer: BinaryIO, name: str) -> int | None:
    """Run the reader and return its exit code; None when it took too long."""
    command = [sys.executable, "-m", "chat.documents.reader", name[-120:].replace("\x00", "")]
    try:
        return subprocess.run(  # noqa: S603 (the command is fixed; the name is only an argument)
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


def _parsed(code: int | None, answer: bytes) -> Document:
    """Return the document in the reader's answer. Raises `InvalidInput` for a message or a failure."""
    try:
        found = json.loads(answer) if code == 0 else {}
    except ValueError:
        found = {}
    if "text" in found:
        return Document(**found)
    if "message" in found:
        raise InvalidInput("file", found["message"])
    logger.warning("a document could not be read: the reader exited with code %s", code)
    raise InvalidInput("file", texts.TOO_EXPENSIVE)
