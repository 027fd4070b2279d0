"""The invariants between Redis and the model, checked after every move."""

from collections import Counter
from typing import Any

from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import key

from .model import QUEUES, Model, digest_of

HASHES = (
    "jobs",
    "claims",
    "running",
    "needs",
    "unable",
    "weights",
    *(f"q:{queue}:{name}" for queue in QUEUES for name in ("owner_unfinished", "owner_active")),
)
SETS = tuple(
    f"q:{queue}:{name}"
    for queue in QUEUES
    for name in (
        "waiting",
        "delayed",
        "active",
        "parked",
        "owner_finish_tags",
        "limiter_starts",
        "shared",
        "completed",
        "failed",
    )
)


def read_redis(client: Any) -> dict[str, Any]:
    """Return all keys of the schedule, in one round trip."""
    with client.pipeline(transaction=False) as pipe:
        for name in HASHES:
            pipe.hgetall(key(name))
        for name in SETS:
            pipe.zrange(key(name), 0, -1, withscores=True)
        return dict(zip(HASHES + SETS, pipe.execute(), strict=True))


def check_jobs_are_in_one_place(found: dict[str, Any], model: Model) -> None:
    """Assert that no job is lost or in two places, and that each has the right place in line."""
    known = [job for job in model.jobs.values() if job.known]
    owners = {job_id: text.split("\x1f")[0] for job_id, text in found["jobs"].items()}
    assert owners == {job.id: job.owner for job in known}
    assert found["claims"] == {job.id: job.token for job in known if job.state == "active"}
    assert set(found["unable"]) == {job.id for job in known if job.needs}
    assert set(found["needs"]) == {digest_of(job.queue) for job in known if job.needs}
    for queue in QUEUES:
        waiting = {job_id: int(score) for job_id, score in found[f"q:{queue}:waiting"]}
        parked = [member.split("\x1f") for member, _ in found[f"q:{queue}:parked"]]
        line = waiting | {job_id: int(score) for _, score, job_id in parked}
        assert len(line) == len(waiting) + len(parked)
        assert line == {job.id: job.line[0] for job in model.line(queue)}
        unable = {job_id for group, _, job_id in parked if group.startswith("\1")}
        assert unable == {job.id for job in model.known(queue) if job.needs}
        check_parked_jobs_will_return(queue, Counter(owner for owner, _, _ in parked), model)
        for state in ("delayed", "active"):
            ids = sorted(job_id for job_id, _ in found[f"q:{queue}:{state}"])
            assert ids == [job.id for job in model.known(queue, state)]


def check_parked_jobs_will_return(queue: str, parked: Counter[str], model: Model) -> None:
    """Assert that each owner with parked jobs has active or waiting ones, whose end brings these back."""
    for owner, number in parked.items():
        if owner.startswith("\1"):
            continue  # the jobs of a need, not of an owner
        known = [
            job for job in model.known(queue, "waiting", "active") if job.payer == owner and not job.needs
        ]
        running = sum(job.state == "active" for job in known)
        in_line = len(known) - running - number
        assert running + in_line >= model.under(queue).owner_concurrency > 0, owner


def check_counters(found: dict[str, Any], model: Model) -> None:
    """Assert that every counter is right, and that counters at zero are deleted."""
    for name, wanted in model.counters().items():
        assert found[name] == wanted, name
    weights = {name: int(weight) for name, weight in found["weights"].items() if name}
    assert weights == model.weights
    for queue, q in QUEUES.items():
        now = model.now[queue]
        ends = {owner: int(end) for owner, end in found[f"q:{queue}:owner_finish_tags"] if end > now}
        assert ends == {owner: end for (of, owner), end in model.ends.items() if of == queue and end > now}
        assert {start for start, _ in found[f"q:{queue}:limiter_starts"]} == model.starts[queue]
        shared = {job.id for job in model.known(queue, "waiting") if job.payer != job.owner}
        assert {member.split("\x1f")[1] for member, _ in found[f"q:{queue}:shared"]} <= shared
        assert len(found[f"q:{queue}:completed"]) <= q.keep[0]
        assert len(found[f"q:{queue}:failed"]) <= q.keep[1]


def check_counts_and_positions(found: dict[str, Any], model: Model, queue: str) -> None:
    """Assert that the scripts reply with the right counts and positions."""
    counts = redis_client.run(scripts.counts(queue, "a"))
    wanted = [len(model.known(queue, state)) for state in ("waiting", "delayed", "active")]
    assert [counts.waiting, counts.delayed, counts.active] == wanted
    assert counts.owner_unfinished == len(model.known(queue, owner="a"))
    assert counts.paused == bool(model.live[queue].get("paused"))
    assert counts.under(QUEUES[queue]) == model.under(queue)
    jobs = model.line(queue) + model.known(queue, "delayed", "active")
    positions = redis_client.run(scripts.positions(queue, [job.id for job in jobs]))
    assert [position.state for position in positions] == [job.state for job in jobs]
    assert [position.unable for position in positions] == [job.needs for job in jobs]
    in_line = {job_id for job_id, _ in found[f"q:{queue}:waiting"]}
    ahead = [position.ahead for job, position in zip(jobs, positions, strict=True) if job.id in in_line]
    assert ahead == list(range(len(in_line)))
    for index, (job, position) in enumerate(zip(jobs, positions, strict=True)):
        assert job.state != "waiting" or position.ahead <= index


def check_limits(model: Model, queue: str, cluster: str, owners: set[str]) -> None:
    """Assert that no limit is exceeded after a claim of the cluster that took jobs of the owners."""
    q, active = model.under(queue), model.known(queue, "active")
    assert model.running(queue, cluster) <= q.concurrency
    assert not q.global_concurrency or len(active) <= q.global_concurrency
    assert not q.limiter or len(model.starts[queue]) <= q.limiter.max
    active_of_owner = Counter(job.payer for job in active if job.owner in owners - {""})
    assert not q.owner_concurrency or max(active_of_owner.values(), default=0) <= q.owner_concurrency
