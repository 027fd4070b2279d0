"""The actions of operators: one description of each, for the dashboard, admin, terminal and commands.

Names, labels, consequences, confirmations, results and the permission are defined only here. Each user
interface chooses the actions that it offers, collects a `Target`, asks for confirmation and shows what
`perform` returns. `audited.py` does the work and writes the audit entry. All actions are safe to repeat.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from . import audited, audited_recurring, figures
from .operator_action import Confirm, OperatorAction, Target

#: Days that the form of `clean` suggests.
CLEAN_DAYS = 7


def _queue_figures(target: Target) -> list[str]:
    return figures.of_queue(target.queue)


def _set_limits(queue: str, limits: Mapping[str, Any], *, actor: str, note: str) -> None:
    if limits:
        audited.set_limits(queue, **limits, actor=actor, note=note)


_ALL = (
    OperatorAction(
        name="pause",
        label="Pause",
        title="Pause {queue}",
        consequence="No further jobs start. Active jobs finish, new jobs wait.",
        done="{queue} is paused. Active jobs finish.",
        run=audited.pause,
        confirm=Confirm.NO,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="resume",
        label="Resume",
        title="Resume {queue}",
        consequence="Waiting jobs start again, within the limits of the queue.",
        done="{queue} is resumed.",
        run=audited.resume,
        confirm=Confirm.NO,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="quiet_worker",
        label="Quiet",
        title="Quiet worker {worker}",
        consequence="It starts no further jobs until it is resumed or restarted. Active jobs finish.",
        done="Worker {worker} becomes quiet. Active jobs finish.",
        run=audited.quiet_worker,
        takes=("worker",),
        confirm=Confirm.NO,
    ),
    OperatorAction(
        name="resume_worker",
        label="Resume",
        title="Resume worker {worker}",
        consequence="It starts jobs again.",
        done="Worker {worker} is resumed.",
        run=audited.resume_worker,
        takes=("worker",),
        confirm=Confirm.NO,
    ),
    OperatorAction(
        name="set_limits",
        label="Change limits",
        title="Change the limits of {queue}",
        consequence="New limits apply immediately to all workers, until they are reset.",
        done="Limits of {queue} changed: {changes}.",
        run=_set_limits,
        takes=("queue", "limits"),
        fields=("limits", "note"),
    ),
    OperatorAction(
        name="clear_limits",
        label="Reset limits",
        title="Reset the limits of {queue}",
        consequence="The limits of the settings apply again.",
        done="Limits of {queue} reset to the settings.",
        run=audited.clear_limits,
        figures=lambda target: figures.of_limits(target.queue),
    ),
    OperatorAction(
        name="set_weight",
        label="Change weight",
        title="Change the weight of {owner}",
        consequence="Jobs that are put in line from now on get this many turns for one of others.",
        done="{owner} has the weight {weight}.",
        run=audited.set_weight,
        takes=("owner", "weight", "is_share"),
        confirm=Confirm.NO,
        fields=("weight", "note"),
    ),
    OperatorAction(
        name="promote_all",
        label="Promote delayed",
        title="Promote the delayed jobs of {queue}",
        consequence="Delayed jobs start now instead of later. Jobs that wait for other jobs stay delayed.",
        done="{jobs} promoted.",
        run=audited.promote_all,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="drain",
        label="Drain",
        title="Drain {queue}",
        consequence="All waiting and delayed jobs are cancelled. Active jobs continue.",
        done="{jobs} cancelled.",
        run=audited.drain,
        confirm=Confirm.TYPE,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="clean",
        label="Clean",
        title="Remove {state} jobs of {queue}",
        consequence="The jobs are removed with their history and results.",
        done="{jobs} removed.",
        run=audited.clean,
        takes=("queue", "state", "older_than"),
        confirm=Confirm.TYPE,
        fields=("age", "note"),
        figures=lambda target: figures.of_finished(target.queue, timedelta(days=CLEAN_DAYS)),
    ),
    OperatorAction(
        name="retry_group",
        label="Retry all",
        title="Retry all jobs of {kind} that failed with {code}",
        consequence="The jobs run again, each with all its attempts.",
        done="{jobs} queued again ({kind}: {code}).",
        run=audited.retry_group,
        takes=("queue", "kind", "code", "most"),
        figures=lambda target: figures.of_group(target.queue, target.kind, target.code),
    ),
    OperatorAction(
        name="note_group",
        label="Edit note",
        title="Edit the note on {kind}: {code}",
        consequence="Everyone who can see these failures sees the note. An empty text removes it.",
        done="Note saved.",
        run=audited.note_group,
        takes=("queue", "kind", "code", "text"),
        confirm=Confirm.NO,
        fields=("text",),
    ),
    OperatorAction(
        name="retry",
        label="Retry",
        title="Retry {job}",
        consequence="A retried job runs again, with all its attempts.",
        done="{jobs} queued again.",
        run=audited.retry,
        takes=("job_id",),
    ),
    OperatorAction(
        name="cancel",
        label="Cancel",
        title="Cancel {job}",
        consequence="A cancelled job stops, even if it is running.",
        done="{jobs} cancelled.",
        run=audited.cancel,
        takes=("job_id",),
        confirm=Confirm.TYPE,
    ),
    OperatorAction(
        name="promote",
        label="Promote",
        title="Promote {job}",
        consequence="A promoted job starts now instead of later.",
        done="{jobs} promoted.",
        run=audited.promote,
        takes=("job_id",),
    ),
    OperatorAction(
        name="remove",
        label="Remove",
        title="Remove {job}",
        consequence="A removed job is deleted with its history and result.",
        done="{jobs} removed.",
        run=audited.remove,
        takes=("job_id",),
        confirm=Confirm.TYPE,
    ),
    OperatorAction(
        name="run_recurring",
        label="Run now",
        title="Run {recurring} now",
        consequence="A job is submitted now. The next tick stays.",
        done="{recurring} runs now: {jobs}.",
        run=audited_recurring.run_now,
        takes=("recurring",),
    ),
    OperatorAction(
        name="pause_recurring",
        label="Pause ticks",
        title="Pause {recurring}",
        consequence="Its ticks are skipped until it is resumed. Jobs that were submitted run.",
        done="{recurring} is paused.",
        run=audited_recurring.pause,
        takes=("recurring",),
        confirm=Confirm.NO,
    ),
    OperatorAction(
        name="resume_recurring",
        label="Resume ticks",
        title="Resume {recurring}",
        consequence="It runs at its next tick. Ticks of the pause are skipped.",
        done="{recurring} is resumed.",
        run=audited_recurring.resume,
        takes=("recurring",),
        confirm=Confirm.NO,
    ),
)

#: What staff do with recurring jobs in the admin, without a button: name in the audit log -> label.
_EDITS = {
    "add_recurring": "Add recurring job",
    "change_recurring": "Change recurring job",
    "delete_recurring": "Delete recurring job",
}

#: Name -> action.
ACTIONS = {action.name: action for action in _ALL}


def label_of(name: str) -> str:
    """Return the label of an action by its name in the audit log."""
    return ACTIONS[name].label if name in ACTIONS else _EDITS.get(name, name)


def all_labels() -> dict[str, str]:
    """Return the label of each name that the audit log may have."""
    return {name: action.label for name, action in ACTIONS.items()} | _EDITS
