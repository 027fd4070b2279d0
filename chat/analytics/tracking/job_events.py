"""Events for finished jobs, tracked from the end hooks of their kinds."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from chat.models import Message
from queueing.api import Ending

from .tracker import track

#: The activity in event names, by kind of job.
_ACTIVITIES = {"chat.reply": "reply", "audio.transcribe": "voice", "analysis.document": "document"}


def track_job_end(ending: Ending) -> None:
    """Track `reply.completed`, `voice.failed` and so on, after the transaction commits.

    The companion is that of the reply which the job writes. The event has no visitor: messages are counted
    by visitor already when they are sent.
    """
    activity = _ACTIVITIES.get(ending.kind)
    if activity is None or not settings.ANALYTICS_DAYS:
        return
    reply = Message.objects.filter(id=ending.args.get("reply_id"))
    companion = reply.values_list("thread__companion", flat=True).first() or ""
    name = f"{activity}.{ending.state}"
    transaction.on_commit(partial(track, name, companion=companion, **_properties(ending)))


def _properties(ending: Ending) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    if ending.waited is not None and ending.ran is not None:
        properties |= {"wait": round(ending.waited, 3), "run": round(ending.ran, 3)}
    if ending.code:
        properties["code"] = ending.code
    if isinstance(ending.result, dict) and ending.result.get("cached"):
        properties["cached"] = 1
    return properties
