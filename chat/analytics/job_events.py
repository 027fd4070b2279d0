"""How jobs came out, as events: called by what their kinds do at the end."""

from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from chat.models import Message
from queueing.api import Ending

from .tracker import track

#: What the kinds of work are called here.
_WORDS = {"chat.reply": "reply", "audio.transcribe": "voice", "analysis.document": "document"}


def ended(ending: Ending) -> None:
    """Track `reply.completed`, `voice.failed` and so on, once the transaction commits.

    The companion is that of the reply the job was to write. Whose it was is not said: messages are
    counted by visitor already, when they are sent.
    """
    word = _WORDS.get(ending.kind)
    if word is None or not settings.ANALYTICS_DAYS:
        return
    reply = Message.objects.filter(id=ending.args.get("reply_id"))
    companion = reply.values_list("thread__companion", flat=True).first() or ""
    more: dict[str, Any] = {}
    if ending.waited is not None and ending.ran is not None:
        more |= {"wait": round(ending.waited, 3), "run": round(ending.ran, 3)}
    if ending.code:
        more["code"] = ending.code
    if isinstance(ending.result, dict) and ending.result.get("cached"):
        more["cached"] = 1
    transaction.on_commit(partial(track, f"{word}.{ending.state}", companion=companion, **more))
