"""`python -m chat.documents.reader NAME < FILE`: writes a JSON document, or why there is none, to stdout.

It takes limits upon itself first, so that no file can make it eat the machine: see `sandbox.py`.
"""

import contextlib
import dataclasses
import json
import resource
import sys

#: Seconds of a processor, bytes of memory, bytes of output. Libraries alone take 300 MB of addresses.
CPU, MEMORY, OUTPUT = 20, 1024**3, 16 * 1024**2


def _limit_ourselves() -> None:
    limits = {
        resource.RLIMIT_CPU: CPU,
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: OUTPUT,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS does not know them all
            resource.setrlimit(what, (most, most))


def main() -> None:
    """Read stdin, write stdout."""
    _limit_ourselves()
    from . import Unreadable, kinds

    answer: dict[str, object]
    try:
        answer = dataclasses.asdict(kinds.read(sys.stdin.buffer.read(), sys.argv[1]))
    except Unreadable as exc:
        answer = {"code": exc.code, "message": exc.message}
    except (MemoryError, RecursionError):
        answer = {"code": "too_large", "message": "This file takes more memory to read than a document can."}
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"))


if __name__ == "__main__":
    main()
