"""The engine's records in Django's admin: jobs, what operators did and changed, and Django-Q2's own pages."""

from . import djangoq, jobs, records

__all__ = ["djangoq", "jobs", "records"]
