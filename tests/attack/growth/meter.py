"""Measuring work: processor time of this thread, which does not depend on how busy the machine is."""

import gc
import time
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

#: Seconds of work that are too short to compare, and to hold a loop.
SHORT = 0.05
#: The text grows to four times its length. Linear work takes 4 times as long (up to 8 with cold caches),
#: quadratic work 16 times.
MAX_RATIO = 11.0


def seconds(work: Callable[[Any], object], given: Any, repeat: int = 1) -> float:
    """Return the shortest time that `work` needs for `given`. A refusal is an outcome like any other."""
    found = []
    for _ in range(repeat):
        gc.disable()
        began = time.thread_time()
        try:
            work(given)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ValidationError):
            pass
        except Exception as exc:
            if not hasattr(exc, "code"):  # our refusals have one
                raise
        finally:
            found.append(time.thread_time() - began)
            gc.enable()
    return min(found)


def growth(work: Callable[[Any], object], make: Callable[[int], Any], limit: int) -> str:
    """Return what is wrong with how the work grows up to `limit`; empty if nothing is."""
    if seconds(work, make(limit)) < SHORT:
        return ""
    whole, part = make(limit), make(limit // 4)
    for repeat in (1, 3):  # a second look, in case something else has disturbed the first
        ratio = seconds(work, whole, repeat) / seconds(work, part, repeat)
        if ratio < MAX_RATIO:
            return ""
    return f"{ratio:.1f} times the work for 4 times the length"
