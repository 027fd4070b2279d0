"""Whether the model answers: what the queues' own health cannot tell."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from channels.db import database_sync_to_async

from chat.upstream.client import Provider
from chat.upstream.fallback import RESTS, rest_left
from queueing.api import Permanent
from queueing.api.monitoring import CRITICAL, WARNING, HealthWarning, failure_codes

#: Minutes that are looked back, and attempts at most, so that the look is quick on any day.
_MINUTES, _NEWEST = 5, 500
#: Failures that one alone tells much: they do not pass by themselves.
_LASTING = {"no_model", "no_quota", "not_configured"}
#: Of all others that another model would not have, so many are no accident any more.
_MANY = 3


async def provider() -> list[HealthWarning]:
    """Warnings about the provider: it fails, or rests while the fallback answers."""
    found = []
    failures = await database_sync_to_async(_failures, thread_sensitive=False)()
    lasting = [code for code in failures if code in _LASTING]
    if lasting or failures.total() >= _MANY:
        codes = ", ".join(f"{code} {count}" for code, count in failures.most_common())
        text = f"The model's provider fails: {codes} in the last {_MINUTES} minutes."
        found.append(HealthWarning(CRITICAL, "provider", "", text))
    with suppress(Permanent):  # no model is set up: a system check says so
        if Provider.fallback() and (left := await rest_left(Provider.from_settings())):
            text = f"The first model rests for {left:.0f} s more; the fallback answers."
            found.append(HealthWarning(WARNING, "fallback", "", text))
    return found


def _failures() -> Counter[str]:
    codes = failure_codes(timedelta(minutes=_MINUTES), newest=_NEWEST)
    return Counter({code: count for code, count in codes.items() if code in _LASTING | RESTS.keys()})
