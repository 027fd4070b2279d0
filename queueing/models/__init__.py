"""The record. Redis holds the schedule; if the two differ, these rows are correct."""

from .history import Dependency, FailedAttempt, LogLine, QueueMinute, delete_links_of_finished_parents
from .job import Job, JobTag
from .operating import AuditEntry, FailureNote, LimitOverride, OwnerWeight, Pause
from .recurring import RecurringJob, RecurringTick

__all__ = [
    "AuditEntry",
    "Dependency",
    "FailedAttempt",
    "FailureNote",
    "Job",
    "JobTag",
    "LimitOverride",
    "LogLine",
    "OwnerWeight",
    "Pause",
    "QueueMinute",
    "RecurringJob",
    "RecurringTick",
    "delete_links_of_finished_parents",
]
