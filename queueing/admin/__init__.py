"""The engine's tables in Django's admin: jobs, recurring jobs, records, and Django-Q2's own pages."""

from . import djangoq, jobs, records, recurring, weights

__all__ = ["djangoq", "jobs", "records", "recurring", "weights"]
