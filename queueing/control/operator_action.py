"""The types of the registry of operator actions (`actions.py`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

from queueing.models import Job

from . import figures, limit_texts
from .audited import AuditFields

#: The permission that all actions need.
OPERATE = "queueing.operate_queue"
#: The maximum length of a note, in characters.
MAX_NOTE = 500


class Confirm(IntEnum):
    """How an action is confirmed."""

    NO = 0
    """Another action undoes it: a key in the terminal suffices."""
    ASK = 1
    TYPE = 2
    """It cannot be undone: the dashboard asks for the queue's name, a command for `--yes`."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The queue, group of failures or job that an action is applied to; who applies it, and why."""

    actor: str
    note: str = ""
    queue: str = ""
    job_id: UUID | str = ""
    kind: str = ""
    code: str = ""
    most: int | None = None
    """The maximum number of jobs of a group; None for all."""
    state: str = ""
    """The state of the finished jobs to remove."""
    older_than: timedelta = timedelta(0)
    limits: Mapping[str, Any] = field(default_factory=dict)
    worker: str = ""
    """The id of a worker process."""
    owner: str = ""
    """An owner, or a share if `is_share`."""
    is_share: bool = False
    weight: int = 1
    text: str = ""
    """A note on a group of failures."""
    recurring: str = ""
    """The name of a recurring job."""

    @property
    def audit(self) -> AuditFields:
        """The fields of the audit entry."""
        return {"actor": self.actor, "note": self.note}

    @property
    def words(self) -> dict[str, str]:
        """The words that titles and results may use."""
        job = self.job_id.hex if isinstance(self.job_id, UUID) else self.job_id
        return {
            "queue": self.queue,
            "worker": self.worker,
            "recurring": self.recurring,
            "owner": self.owner,
            "weight": str(self.weight),
            "job": f"{self.kind or 'job'} {job}",
            "kind": self.kind,
            "code": self.code or "no code",
            "state": self.state or "finished",
            "changes": limit_texts.changes(dict(self.limits)),
        }


@dataclass(frozen=True, kw_only=True)
class OperatorAction:
    """One thing that an operator can do."""

    name: str
    """The name in the audit log."""
    label: str
    """A button."""
    title: str
    """A heading or a question; formatted with the words of a target."""
    consequence: str
    done: str
    """A sentence about the result; formatted with the words of the target and `jobs`."""
    run: Callable[..., Any]
    """A function of `audited`: it returns the job, the number of jobs, or nothing. Blocks."""
    takes: tuple[str, ...] = ("queue",)
    """The fields of the target that `run` takes, besides those of the audit entry."""
    confirm: Confirm = Confirm.ASK
    fields: tuple[str, ...] = ("note",)
    """What a form asks for besides the target."""
    figures: Callable[[Target], list[str]] = lambda _target: []
    """Return sentences with the numbers of jobs that are affected. Blocks."""
    permission: str = OPERATE

    @property
    def warning(self) -> str:
        """The consequence, and whether it can be undone."""
        return self.consequence + " This cannot be undone." * self.is_irreversible

    @property
    def is_irreversible(self) -> bool:
        """True if no other action undoes it."""
        return self.confirm == Confirm.TYPE

    def may(self, user: Any) -> bool:
        """Return whether `user` may perform it. Pages ask this for their buttons, and when one is pressed."""
        return bool(user.has_perm(self.permission))

    def heading(self, target: Target) -> str:
        """Return the title for a target."""
        return self.title.format(**target.words)

    def apply(self, target: Target) -> Any:
        """Do it, and return what `run` returns. Blocks. Raises what `audited` raises."""
        return self.run(**{name: getattr(target, name) for name in self.takes}, **target.audit)

    def perform(self, target: Target) -> str:
        """Do it, and return a sentence about the result. Blocks. Raises what `audited` raises."""
        result = self.apply(target)
        jobs = str(result) if isinstance(result, Job) else ""
        if isinstance(result, int):
            jobs = figures.jobs(result, state=target.state, queue=target.queue)
        return self.done.format(**target.words, jobs=jobs)
