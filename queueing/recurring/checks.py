"""The system check of the recurring jobs that code declares."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from queueing.errors import BadValue

from .definition import declared


@register("queueing")
def check_declared_jobs(**_: Any) -> list[CheckMessage]:
    """Return a message for each declared recurring job whose job could not be submitted."""
    found: list[CheckMessage] = []
    for definition in declared():
        try:
            definition.check_job()
        except BadValue as exc:
            message = f"the recurring job {definition.name!r} has a wrong {exc}"
            hint = "Use a kind that is registered, and arguments that its handler takes."
            found.append(Error(message, hint=hint, id="queueing.E012"))
        except ImproperlyConfigured:
            pass  # E003 reports the queue of its kind
    return found
