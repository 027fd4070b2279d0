"""What the keys of the screen do: each is an operator's verb, on the record under the terminal's user."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from queueing.control import audited
from queueing.errors import QueueingError
from queueing.models import Job
from queueing.monitoring.failures import Group
from queueing.states import State


@dataclass(frozen=True)
class Action:
    """Something to do."""

    question: str
    """What to ask before; empty when it can be undone by the next key."""
    verb: Callable[[], str]
    """Does it, and tells what it did."""

    def run(self) -> str:
        """One sentence: what was done, or why not."""
        try:
            return self.verb()
        except (QueueingError, ImproperlyConfigured, Job.DoesNotExist) as exc:
            return f"Not done: {exc}"
        except DatabaseError as exc:
            return f"Not done: the database is away ({type(exc).__name__})."


def pause(queue: str, actor: str) -> Action:
    """Start nothing more on the queue."""

    def verb() -> str:
        audited.pause(queue, actor=actor)
        return f"{queue} is paused; what runs finishes."

    return Action("", verb)


def resume(queue: str, actor: str) -> Action:
    """Let the queue go on."""

    def verb() -> str:
        audited.resume(queue, actor=actor)
        return f"{queue} goes on."

    return Action("", verb)


def drain(queue: str, actor: str) -> Action:
    """Cancel what waits."""
    question = f"Cancel all that waits or is delayed in {queue}? This cannot be undone."
    return Action(question, lambda: f"{audited.drain(queue, actor=actor)} jobs of {queue} cancelled.")


def clean(queue: str, actor: str) -> Action:
    """Forget what failed."""

    def verb() -> str:
        removed = audited.clean(queue, state=State.FAILED, older_than=timedelta(0), actor=actor)
        return f"{removed} failed jobs of {queue} removed from the record."

    return Action(f"Remove all failed jobs of {queue} from the record? This cannot be undone.", verb)


def retry_newest(queue: str, actor: str) -> Action:
    """Run the queue's newest failed job again."""

    def verb() -> str:
        job = Job.objects.filter(queue=queue, state=State.FAILED).order_by("-id").first()
        if not job:
            return f"Nothing of {queue} has failed."
        audited.retry(job.id, actor=actor)
        return f"{job.kind} {job.id.hex} waits again."

    return Action(f"Run the newest failed job of {queue} again?", verb)


def retry_group(group: Group, actor: str) -> Action:
    """Run all jobs again that failed in this way."""

    def verb() -> str:
        again = audited.retry_group(group.queue, group.kind, group.code, actor=actor)
        return f"{again} jobs of {group.queue} wait again."

    return Action(f"Run all {group.count} of {group.kind} that failed with {group.code} again?", verb)


def cancel(job: dict[str, Any], actor: str) -> Action:
    """Stop a job that runs."""

    def verb() -> str:
        audited.cancel(job["id"], actor=actor)
        return f"{job['kind']} {job['id']} is cancelled."

    return Action(f"Cancel {job['kind']} {job['id']}? This cannot be undone.", verb)
