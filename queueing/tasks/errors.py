"""The classes of errors that a `TaskResult` names, where the task itself raised none."""

from django.core.exceptions import SuspiciousOperation

from queueing.errors import Permanent


class Cancelled(Exception):
    """The job was cancelled."""


class JobFailed(Exception):
    """The job failed without running, for example because a job on which it depends failed."""


class WorkerDied(Exception):
    """Too many workers died while they ran the job."""


class NotATask(SuspiciousOperation, Permanent):
    """A job names something that is not a task. It is not called, and the job fails at once."""
