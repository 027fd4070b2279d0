"""The actions of operators: one description of each, for the dashboard, admin, terminal and commands.

Names, labels, consequences, confirmations, results and the permission stand here alone. A face chooses the
actions that it offers, collects a `Target`, asks for confirmation and shows what `perform` returns.
`audited.py` does the work and writes the audit entry. All actions are safe to repeat.
"""

from datetime import timedelta

from . import audited, figures
from .operator_action import Confirm, OperatorAction, Target

#: Days that the form of `clean` suggests.
CLEAN_DAYS = 7


def _queue_figures(target: Target) -> list[str]:
    return figures.of_queue(target.queue)


def _set_limits(target: Target) -> None:
    if target.limits:
        audited.set_limits(target.queue, **target.limits, **target.audit)


_ALL = (
    OperatorAction(
        name="pause",
        label="Pause",
        title="Pause {queue}",
        consequence="No further jobs start. Running jobs finish, new jobs wait.",
        done="{queue} is paused. Running jobs finish.",
        run=lambda target: audited.pause(target.queue, **target.audit),
        confirm=Confirm.NO,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="resume",
        label="Resume",
        title="Resume {queue}",
        consequence="Waiting jobs start again, within the limits of the queue.",
        done="{queue} is resumed.",
        run=lambda target: audited.resume(target.queue, **target.audit),
        confirm=Confirm.NO,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="set_limits",
        label="Change limits",
        title="Change the limits of {queue}",
        consequence="New limits apply immediately to all workers, until they are reset.",
        done="Limits of {queue} changed: {changes}.",
        run=_set_limits,
        fields=("limits", "note"),
    ),
    OperatorAction(
        name="clear_limits",
        label="Reset limits",
        title="Reset the limits of {queue}",
        consequence="The limits of the settings apply again.",
        done="Limits of {queue} reset to the settings.",
        run=lambda target: audited.clear_limits(target.queue, **target.audit),
        figures=lambda target: figures.of_limits(target.queue),
    ),
    OperatorAction(
        name="promote_all",
        label="Promote delayed",
        title="Promote the delayed jobs of {queue}",
        consequence="Delayed jobs start now instead of later. Jobs that wait for other jobs stay delayed.",
        done="{jobs} promoted.",
        run=lambda target: audited.promote_all(target.queue, **target.audit),
        figures=_queue_figures,
    ),
    OperatorAction(
        name="drain",
        label="Drain",
        title="Drain {queue}",
        consequence="All waiting and delayed jobs are cancelled. Running jobs continue.",
        done="{jobs} cancelled.",
        run=lambda target: audited.drain(target.queue, **target.audit),
        confirm=Confirm.TYPE,
        figures=_queue_figures,
    ),
    OperatorAction(
        name="clean",
        label="Clean",
        title="Remove {state} jobs of {queue}",
        consequence="The jobs are removed with their history and results.",
        done="{jobs} removed.",
        run=lambda target: audited.clean(
            target.queue, state=target.state, older_than=target.older_than, **target.audit
        ),
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
        run=lambda target: audited.retry_group(
            target.queue, target.kind, target.code, most=target.most, **target.audit
        ),
        figures=lambda target: figures.of_group(target.queue, target.kind, target.code),
    ),
    OperatorAction(
        name="note_group",
        label="Edit note",
        title="Edit the note on {kind}: {code}",
        consequence="Everyone who can see these failures sees the note. An empty text removes it.",
        done="Note saved.",
        run=lambda target: audited.note_group(
            target.queue, target.kind, target.code, target.text, **target.audit
        ),
        confirm=Confirm.NO,
        fields=("text",),
    ),
    OperatorAction(
        name="retry",
        label="Retry",
        title="Retry {job}",
        consequence="A retried job runs again, with all its attempts.",
        done="{jobs} queued again.",
        run=lambda target: audited.retry(target.job, **target.audit),
    ),
    OperatorAction(
        name="cancel",
        label="Cancel",
        title="Cancel {job}",
        consequence="A cancelled job stops, even if it is running.",
        done="{jobs} cancelled.",
        run=lambda target: audited.cancel(target.job, **target.audit),
        confirm=Confirm.TYPE,
    ),
    OperatorAction(
        name="promote",
        label="Promote",
        title="Promote {job}",
        consequence="A promoted job starts now instead of later.",
        done="{jobs} promoted.",
        run=lambda target: audited.promote(target.job, **target.audit),
    ),
    OperatorAction(
        name="remove",
        label="Remove",
        title="Remove {job}",
        consequence="A removed job is deleted with its history and result.",
        done="{jobs} removed.",
        run=lambda target: audited.remove(target.job, **target.audit),
        confirm=Confirm.TYPE,
    ),
)

#: Name -> action.
ACTIONS = {action.name: action for action in _ALL}


def label_of(name: str) -> str:
    """Return the label of an action by its name in the audit log."""
    return ACTIONS[name].label if name in ACTIONS else name
