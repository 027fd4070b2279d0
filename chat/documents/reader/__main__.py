"""`python -m chat.documents.reader NAME < FILE` writes a document, or an error message, as JSON to stdout.

It limits its own resources first, so that no file can exhaust the machine: see `sandbox.py`.
"""

import contextlib
import dataclasses
import json
import resource
import sys

#: Seconds of CPU time, bytes of memory, bytes of output. Libraries alone use 300 MB of address space.
CPU, MEMORY, OUTPUT = 20, 1024**3, 16 * 1024**2

#: Beginnings of the names of Python's audit events for connections and processes.
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork")


def _limit_resources() -> None:
    limits = {
        resource.RLIMIT_CPU: CPU,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: OUTPUT,
        resource.RLIMIT_CORE: 0,
    }
    for kind, limit in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS does not support all of them
            resource.setrlimit(kind, (limit, limit))


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    """Raise `PermissionError` when anything opens a connection or starts a process. No file needs that."""
    if event.startswith(_FORBIDDEN):
        raise PermissionError(event)


def main() -> None:
    """Read a file from stdin and write the result to stdout."""
    _limit_resources()
    sys.addaudithook(_refuse)
    from . import Unreadable, kinds, texts

    answer: dict[str, object]
    try:
        answer = dataclasses.asdict(kinds.read(sys.stdin.buffer.read(), sys.argv[1]))
    except Unreadable as exc:
        answer = {"code": exc.code, "message": exc.message}
    except (MemoryError, RecursionError):
        answer = {"code": "too_large", "message": texts.OUT_OF_MEMORY}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))


if __name__ == "__main__":
    main()
