"""Which queues a cluster serves: all of the settings, or those that patterns choose."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from queueing.conf import get_conf
from queueing.errors import BadValue


def served_queues(include: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the queues that match `include` (all if empty) and not `exclude`, in order.

    Patterns are names in which `*` and `?` stand for other characters. Queues with a concurrency of 0 are
    left out. Raise `BadValue` for a pattern that matches no queue, and if no queue is left.
    """
    chosen = _matching("queues", include) if include else set(get_conf().queues)
    chosen -= _matching("exclude", exclude)
    served = tuple(
        queue.name for queue in get_conf().queues.values() if queue.name in chosen and queue.concurrency
    )
    if not served:
        raise BadValue("queues", "no queue is left; queues with a concurrency of 0 are not served here")
    return served


def _matching(field: str, patterns: Iterable[str]) -> set[str]:
    names, found = get_conf().queues, set()
    for pattern in patterns:
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            raise BadValue(field, f"{pattern!r} matches no queue; the queues are {', '.join(names)}")
        found |= matching
    return found
