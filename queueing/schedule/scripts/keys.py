"""The names of the keys and channels in Redis, and units of the scripts' arguments."""

from functools import cache

from queueing.conf import Limiter, get_conf
from queueing.schedule.replies import LIMITER_MARGIN_MS

#: The keys of jobs that their workers could not do.
UNABLE_KEYS = ("needs", "unable")
#: The keys of all queues together.
GLOBAL_KEYS = ("jobs", "claims", "running", "reconciled")
_QUEUE_KEYS = (
    "waiting",
    "delayed",
    "active",
    "parked",
    "owner_finish_tags",
    "owner_unfinished",
    "owner_active",
    "limiter_starts",
    "shared",
    "meta",
)


def key(name: str) -> str:
    """Return the full name of one of the engine's keys. All have one hash tag, and so one cluster slot."""
    return f"{{{get_conf().prefix}}}:{name}"


def app_key(name: str) -> str:
    """Return the full name of a key of the application. The engine has no keys of that prefix."""
    return key(f"app:{name}")


def notify_channel() -> str:
    """Return the pub/sub channel of all workers.

    Messages: `wake:<queue>`, `limits:<queue>`, `needs:<queue>`, `cancel:<id>` and `owner:[<old>,<new>]`.
    """
    return key("notify")


def worker_channel(worker: str) -> str:
    """Return the pub/sub channel of one worker.

    The message `job:[<token>,<queue>,<id>,<ms>,<limited>]` hands the worker a job. `quiet:` says that an
    operator wants it to be quiet, or not any more.
    """
    return key(f"notify:{worker}")


def stream_key(job_id: str) -> str:
    """Return the key of the text that an active job has streamed so far."""
    return key(f"text:{job_id}")


def queue_key(queue: str, name: str) -> str:
    """Return the full name of one of a queue's keys."""
    return key(f"q:{queue}:{name}")


def script_keys(*queues: str) -> list[str]:
    """Return the keys that a script of `queues` declares: the global ones, then those of each queue."""
    return _keys_under(get_conf().prefix, queues)


def unable_keys() -> list[str]:
    """Return the keys that scripts declare last that find jobs which their workers could not do."""
    return [key(name) for name in UNABLE_KEYS]


@cache
def _keys_under(prefix: str, queues: tuple[str, ...]) -> list[str]:
    return [key(name) for name in GLOBAL_KEYS] + [queue_key(q, name) for q in queues for name in _QUEUE_KEYS]


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds, at least 0, as scripts take a duration."""
    return max(0, round(seconds * 1000))


def limiter_args(limiter: Limiter | None) -> tuple[int, int]:
    """Return (maximum, window in milliseconds), as scripts take a limiter; zeros for none."""
    return (limiter.max, milliseconds(limiter.duration) + LIMITER_MARGIN_MS) if limiter else (0, 0)
