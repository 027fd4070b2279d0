"""How long the session of a user lasts: until it was not used for a while, and never longer than a maximum.

The end is `expire_date` of the session's row, which everything that a session opens asks. Each use of the
session moves it (`signed_in.record_use`).
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

#: The key of a session for the time at which its user proved the password.
SINCE = "since"
#: Uses are recorded this precisely at most: a write with each request would cost more than the request.
_PRECISION = timedelta(minutes=5)


def end_of(since: float) -> datetime:
    """Return when a session of a user ends that began at `since` and is used now."""
    return min(timezone.now() + _idle(), maximum_end(since))


def maximum_end(since: float) -> datetime:
    """Return when a session that began at `since` ends, however much it is used."""
    began = datetime.fromtimestamp(since, tz=timezone.get_default_timezone())
    return began + timedelta(seconds=settings.SESSION_COOKIE_AGE)


def is_unrecorded(since: float, end: datetime) -> bool:
    """Return whether the recorded `end` of a session that is used now is too old."""
    return abs(end_of(since) - end) > precision()


def precision() -> timedelta:
    """Return how precisely the last use of a session is known."""
    return min(_PRECISION, _idle() / 10)


def _idle() -> timedelta:
    return timedelta(seconds=settings.SESSION_IDLE_SECONDS)
