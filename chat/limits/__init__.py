"""Limits on requests and messages per visitor, user and address: settings `LIMIT_*`, counted in Redis.

The `limits` library parses the notation (`20/minute;200/hour`) and counts requests that
are allowed or refused at once (`check`). Messages get a reservation instead (`reservations.py`): they may be
held until their time comes.
"""

from .request_limits import acheck, check, is_within

__all__ = ["acheck", "check", "is_within"]
