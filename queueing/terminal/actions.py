"""The actions that the keys of the screen start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Unpack

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError

from queueing.control import audited
from queueing.control.actions import ACTIONS
from queueing.control.audited import AuditFields
from queueing.control.operator_action import Confirm, OperatorAction, Target
from queueing.errors import QueueingError
from queueing.models import Job
from queueing.states import State

from . import texts


@dataclass(frozen=True)
class PendingAction:
    """An action on the selected row, before it is confirmed."""

    action: OperatorAction
    target: Target

    @property
    def question(self) -> str:
        """The question to confirm; empty if another key can undo the action."""
        if self.action.confirm == Confirm.NO:
            return ""
        return f"{self.action.heading(self.target)}? {self.action.warning}"

    def run(self) -> str:
        """Perform the action, and return a sentence about the result or the error. Blocks."""
        try:
            return self.action.perform(self.target)
        except (QueueingError, ImproperlyConfigured, Job.DoesNotExist) as exc:
            return texts.not_done(str(exc))
        except DatabaseError as exc:
            return texts.not_done(texts.database_unavailable(exc))


def _retry_newest(queue: str, **audit: Unpack[AuditFields]) -> Job:
    job = Job.objects.filter(queue=queue, state=State.FAILED).order_by("-id").first()
    if not job:
        raise Job.DoesNotExist(texts.no_failed_job(queue))
    return audited.retry(job.id, **audit)


_RETRY_NEWEST = replace(
    ACTIONS["retry"], title="Retry the newest failed job of {queue}", run=_retry_newest, takes=("queue",)
)

#: View -> key -> action.
_KEYS: dict[str, dict[str, OperatorAction]] = {
    "queues": {
        "p": ACTIONS["pause"],
        "r": ACTIONS["resume"],
        "t": _RETRY_NEWEST,
        "D": ACTIONS["drain"],
        "C": ACTIONS["clean"],
    },
    "failures": {"t": ACTIONS["retry_group"]},
    "jobs": {"X": ACTIONS["cancel"]},
}
#: Action -> fields of its target that the terminal always sets.
_FIXED: dict[str, dict[str, Any]] = {"clean": {"state": State.FAILED.value}}
#: View -> the fields of the target that a row of the view gives.
_TARGETS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "queues": lambda queue: {"queue": queue["name"]},
    "failures": lambda group: {"queue": group.queue, "kind": group.kind, "code": group.code},
    "jobs": lambda job: {"queue": job["queue"], "kind": job["kind"], "job_id": job["id"]},
}


def for_key(view: str, key: str, row: Any, actor: str) -> PendingAction | None:
    """Return the action of `key` on a row of `view`; None if the key has none."""
    if not (action := _KEYS.get(view, {}).get(key)):
        return None
    return PendingAction(action, Target(actor=actor, **_TARGETS[view](row), **_FIXED.get(action.name, {})))
