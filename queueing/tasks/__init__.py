"""The backend of Django's tasks framework: functions with `@task` run as jobs of the engine.

    TASKS = {"default": {"BACKEND": "queueing.tasks.QueueingBackend", "QUEUES": ["default"]}}

It serves `django.tasks` of Django 6 and the package `django-tasks` for Django 5.2. It is imported only where
`TASKS` names it.
"""

from .backend import QueueingBackend
from .errors import Cancelled, JobFailed, NotATask, WorkerDied

__all__ = ["Cancelled", "JobFailed", "NotATask", "QueueingBackend", "WorkerDied"]
