"""The chat's own job kinds. The engine imports each app's `jobs` module to find its kinds."""

from .replies import reply_job, summaries, titles

__all__ = ["reply_job", "summaries", "titles"]
