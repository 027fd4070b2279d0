"""Operations on a breaker in a few words: jobs fail or succeed, and time passes."""

from collections.abc import Sequence

from queueing.conf import get_conf
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Fault, ProviderEnd, Verdict, key

PROVIDER = "p"
BREAKER_QUEUES = ("test", "test-narrow")


def report(*ends: ProviderEnd, good: int = 0, ago: float = 0.0) -> list[Verdict]:
    """Report the ends of jobs of the provider, and `good` successes of some seconds ago."""
    before = [(ago, good)] if good else []
    return redis_client.run(scripts.report(PROVIDER, BREAKER_QUEUES, ends, good=before))


def fail(job_id: str, cause: str = "outage", *, wait: float = 0.0, is_last: bool = False) -> Verdict:
    """Report a failure."""
    return report(ProviderEnd(job_id, cause, wait, is_last))[0]


def faults(job_ids: Sequence[str], cause: str = "outage") -> list[Fault]:
    """Report a failure of each job, and return whose faults they are."""
    return [fail(job_id, cause).fault for job_id in job_ids]


def succeed(*job_ids: str) -> None:
    """Report successes."""
    report(*(ProviderEnd(job_id, "ok") for job_id in job_ids))


def state() -> dict[str, str]:
    """Return the fields of the breaker."""
    return redis_client.client().hgetall(key(f"breaker:{PROVIDER}"))


def is_open() -> bool:
    """Return whether the breaker is open."""
    return "until" in state()


def pass_time(seconds: float) -> None:
    """Move every time of the breaker, and the ends of cooldowns, into the past."""
    client, ms = redis_client.client(), round(seconds * 1000)
    name = key(f"breaker:{PROVIDER}")
    slots = round(ms / (get_conf().first_probe * 1000))
    moved: dict[str, str] = {}
    for field, value in state().items():
        if field in ("until", "since", "streak_at"):
            moved[field] = str(int(value) - ms)
        elif field[0] == "w" and field[1:].isdigit():
            slot, ok, bad = value.split("/")
            client.hdel(name, field)
            moved[f"w{(int(slot) - slots) % 6}"] = f"{int(slot) - slots}/{ok}/{bad}"
        elif field.startswith("job:"):
            *counts, at = value.split("/")
            moved[field] = "/".join([*counts, str(int(at) - ms)])
    if moved:
        client.hset(name, mapping=moved)
        left = client.pttl(name) - ms
        if left > 0:
            client.pexpire(name, left)
        else:
            client.delete(name)
    for queue in BREAKER_QUEUES:
        if client.hexists(scripts.queue_key(queue, "meta"), "cooldown"):
            client.hincrby(scripts.queue_key(queue, "meta"), "cooldown", -ms)


def open_breaker() -> None:
    """Open the breaker by failures of two jobs."""
    fail("a")
    fail("b")
    assert is_open()
