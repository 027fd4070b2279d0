"""What the engine asks the database: for jobs, at heartbeats, for monitoring, for operators, once an hour."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from queueing.conf import get_conf, get_queue
from queueing.control import figures, owners, verbs
from queueing.events import catch_up
from queueing.events.waits import delay_reasons
from queueing.limits import live_limits
from queueing.models import Job
from queueing.monitoring import counters, failures, health, statistics
from queueing.record import attempts, lost_parents, not_started, orphans, pruning
from queueing.record.run import Result, Run
from queueing.recovery import patience, reconcile, restore, stalled, suspects
from queueing.schedule.scripts import Claimed
from queueing.states import State
from queueing.submit import submit
from queueing.unique import Unique
from queueing.values.ids import new_id

Duties = dict[str, Callable[[], Any]]
_DAYS = timedelta(days=7)


class Engine:
    """The calls for one kind of job."""

    def __init__(self, kind: str, args: dict[str, Any], queue: str, owner: str) -> None:
        self.kind, self.args, self.queue, self.owner = kind, args, queue, owner

    def new(self, **options: Any) -> Job:
        """Submit a job with a request id of its own."""
        return submit(self.kind, self.args, owner=self.owner, request_id=new_id().hex, **options).job

    def begin(self, job: Job) -> Run:
        """Begin a run of the job."""
        (run,) = attempts.begin([Claimed(job.id.hex, job.queue, 0.0, False)], "c/w/1")
        return run

    def end(self, state: State, outcome: str) -> None:
        """Run a job on which others depend, and end it."""
        job = self.new()
        self.new(after=[job])
        self.new(depends_on=[job])
        ended = Result(run=self.begin(job), state=state, outcome=outcome, ended_at=timezone.now())
        attempts.end([replace(ended, hook=False, lines=[(timezone.now(), "a line")])])

    def retry(self) -> None:
        """Cancel a job that another one needs, and retry it."""
        job = self.new()
        self.new(depends_on=[job])
        verbs.cancel(job.id)
        verbs.retry(job.id)

    def again(self) -> None:
        """Submit a job twice."""
        submit(self.kind, self.args, owner=self.owner, request_id="again")
        submit(self.kind, self.args, owner=self.owner, request_id="again")

    def unique(self) -> None:
        """Submit the same work again and again, while it waits and while it runs."""
        for reaction in ("return", "replace", "latest"):
            unique = Unique(reaction, on_conflict=reaction)
            jobs = [self.new(unique=unique) for _ in range(3)]
            self.begin(jobs[0])
            self.new(unique=unique)

    def all(self) -> Duties:
        """Return all that read no whole table."""
        of = (self.of_jobs, self.of_heartbeats, self.of_monitoring, self.of_operators, self.hourly)
        return {name: call for duties in of for name, call in duties().items()}

    def of_jobs(self) -> Duties:
        """Return what happens for jobs."""
        return {
            "submit": self.new,
            "submit again": self.again,
            "submit, unique": self.unique,
            "begin": lambda: self.begin(self.new()),
            "end": lambda: self.end(State.COMPLETED, "completed"),
            "end, failed": lambda: self.end(State.FAILED, "failed"),
            "end, to be tried again": lambda: self.end(State.DELAYED, "failed"),
            "cancel and retry": self.retry,
            "promote": lambda: verbs.promote(self.new(delay=60.0).id),
            "remove": lambda: verbs.remove(self.new().id),
            "stale claims": lambda: attempts.stale_claims([(new_id().hex, "t")]),
            "catch up": lambda: catch_up._read(self.new().id.hex),
            "states": lambda: catch_up._read_states([new_id().hex]),
            "delayed": lambda: delay_reasons.expected_waits([self.new(delay=60.0).id.hex]),
        }

    def of_heartbeats(self) -> Duties:
        """Return the duties of a worker, most of them at each heartbeat."""
        stopped = replace(get_queue(self.queue), patience=86400.0)  # no job in line is that old
        return {
            "reconcile": lambda: reconcile.unfinished_after("0" * 32),
            "still unfinished": lambda: reconcile.still_unfinished([new_id().hex]),
            "lost parents": lost_parents.settle_lost_parents,
            "expired": not_started.sweep_expired,
            "expired, claimed": lambda: not_started.end_expired([new_id().hex]),
            "patience": lambda: patience.fail_waiting(stopped),
            "overrides": live_limits.recorded_overrides,
            "suspects": lambda: suspects._waiting_jobs(list(get_conf().queues)),
            "stalls": lambda: stalled.record_stalls(get_queue(self.queue), [(new_id().hex, "t")]),
            "restore": restore.active_jobs,
            "count": lambda: counters.count_cancelled(self.queue),
        }

    def of_monitoring(self) -> Duties:
        """Return what health, statistics and the dashboard read."""
        return {
            "orphans": orphans.orphaned_queues,
            "orphans with failures": lambda: list(orphans.orphaned_queues_with_failures()),
            "orphan warnings": health._orphan_warnings,
            "failures": failures.groups,
            "statistics": statistics.summary,
        }

    def of_operators(self) -> Duties:
        """Return what actions ask, before and while they change something."""
        return {
            "figures of a queue": lambda: figures.of_queue(self.queue),
            "figures of finished jobs": lambda: figures.of_finished(self.queue, _DAYS),
            "drain": lambda: verbs.drain_some("background-of-nothing", 1),
            "promote some": lambda: verbs.promote_some("background-of-nothing", 1),
            "stop an owner": lambda: owners.stop_owner(self.owner),
            "rename an owner": lambda: _in_transaction(owners.rename_owner, self.owner, "another"),
            "erase an owner": lambda: _in_transaction(owners.erase_owner, "another"),
        }

    def of_recovery(self) -> Duties:
        """Return what reads whole tables: it does so once, when Redis has lost its data."""
        return {"restore starts": restore.recent_starts}

    def hourly(self) -> Duties:
        """Return what one worker does once an hour."""
        found: Duties = {"compact": counters.compact, "prune": pruning.prune}
        for number, step in enumerate(pruning.registered_steps()):
            found[f"step {number + 1}: {step.__module__}.{step.__qualname__}"] = step
        return found


def _in_transaction(call: Callable[..., Any], *args: Any) -> None:
    with transaction.atomic():
        call(*args)
