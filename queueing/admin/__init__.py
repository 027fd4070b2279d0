"""The engine's tables in Django's admin: jobs, the audit log, live changes, and Django-Q2's own pages."""

from . import djangoq, jobs, records

__all__ = ["djangoq", "jobs", "records"]
