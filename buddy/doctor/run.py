"""Run all looks at the same time. Each has a deadline, so none can hold up the others or the end."""

import threading
import time
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue

from django.db import connections

from .findings import PROBLEM, Finding, Look, one_line


def run(looks: Sequence[Look]) -> Iterator[tuple[Look, list[Finding]]]:
    """Yield each look with its findings, in the order of the looks."""
    began = time.monotonic()
    started = [(look, _start(look)) for look in looks]
    for look, answers in started:
        left = max(0.0, began + look.deadline - time.monotonic())
        try:
            yield look, answers.get(timeout=left)
        except Empty:
            text = f"no answer within {look.deadline:g} s"
            yield look, [Finding(PROBLEM, text, look.advice)]


def _start(look: Look) -> SimpleQueue[list[Finding]]:
    answers: SimpleQueue[list[Finding]] = SimpleQueue()
    # A daemon: the process does not wait for a thread that hangs.
    threading.Thread(target=lambda: answers.put(_findings(look)), name=look.name, daemon=True).start()
    return answers


def _findings(look: Look) -> list[Finding]:
    try:
        return list(look.examine())
    except Exception as exc:
        return [Finding(PROBLEM, one_line(f"{type(exc).__name__}: {exc}"), look.advice)]
    finally:
        connections.close_all()
