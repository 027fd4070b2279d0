"""The public functions of the engine: define, submit and control jobs.

    from queueing.api import JobContext, job, submit

    @job("report.write", queue="reports")
    async def write(ctx: JobContext, *, report_id: str) -> dict[str, str]: ...

    submit("report.write", {"report_id": "7"}, owner="alice")

The submodules of this package are public, too: `events`, `sockets`, `database`, `monitoring`, `metrics`,
`charts`, `admin`, `tracing` and `redis`. Everything outside `queueing.api`, `queueing.testing` and
`queueing.tasks` is private and may change.
"""

from queueing.conf import environment_variables
from queueing.context import JobContext
from queueing.control.owners import erase_owner, rename_owner, stop_owner
from queueing.control.verbs import cancel, pause, remove, resume, retry
from queueing.errors import (
    BadSubmission,
    BadValue,
    Cooldown,
    JobError,
    Outage,
    Permanent,
    QueueingError,
    Rejected,
    Retry,
    WrongState,
)
from queueing.kinds import Ending, get_kind, job
from queueing.limits.breaker import Breaker
from queueing.limits.weights import get_weight, set_weight
from queueing.models import Job, RecurringJob
from queueing.options import Limit
from queueing.record.dependencies import parent_ids
from queueing.record.job_spec import max_payload
from queueing.recurring.definition import recurring
from queueing.states import FINISHED, UNFINISHED, State
from queueing.submit import Submission, submit, submit_completed, submit_many
from queueing.unique import Unique
from queueing.values.ids import new_id
from queueing.values.log_lines import add_log_ids, log_ids

__all__ = [
    "FINISHED",
    "UNFINISHED",
    "BadSubmission",
    "BadValue",
    "Breaker",
    "Cooldown",
    "Ending",
    "Job",
    "JobContext",
    "JobError",
    "Limit",
    "Outage",
    "Permanent",
    "QueueingError",
    "RecurringJob",
    "Rejected",
    "Retry",
    "State",
    "Submission",
    "Unique",
    "WrongState",
    "add_log_ids",
    "cancel",
    "environment_variables",
    "erase_owner",
    "get_kind",
    "get_weight",
    "job",
    "log_ids",
    "max_payload",
    "new_id",
    "parent_ids",
    "pause",
    "recurring",
    "remove",
    "rename_owner",
    "resume",
    "retry",
    "set_weight",
    "stop_owner",
    "submit",
    "submit_completed",
    "submit_many",
]
