"""Health warnings about the model's provider, which the queues' own health cannot give."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from chat.upstream.client import Provider
from chat.upstream.fallback import COOLDOWN_SECONDS, cooldown_left
from queueing.api import Permanent
from queueing.api.monitoring import CRITICAL, WARNING, HealthWarning, failure_codes
from queueing.api.sockets import in_thread

from . import texts

#: The period in minutes, and the maximum number of attempts that are read, so that the query stays quick.
_MINUTES, _MAX_ATTEMPTS = 5, 500
#: Errors that do not pass by themselves: one of them is enough for a warning.
_PERSISTENT = {"no_model", "no_quota", "not_configured"}
#: Other errors of the provider that are needed for a warning.
_THRESHOLD = 3


async def provider_warnings() -> list[HealthWarning]:
    """Return warnings about a provider that fails, or is paused while the fallback answers."""
    warnings = []
    failures = await in_thread(_failures)()
    if failures.keys() & _PERSISTENT or failures.total() >= _THRESHOLD:
        text = texts.failing(dict(failures.most_common()), _MINUTES)
        warnings.append(HealthWarning(CRITICAL, "provider", "", text))
    with suppress(Permanent):  # no model is configured: a system check reports that
        if Provider.fallback() and (left := await cooldown_left(Provider.from_settings())):
            warnings.append(HealthWarning(WARNING, "fallback", "", texts.fallback_active(left)))
    return warnings


def _failures() -> Counter[str]:
    codes = failure_codes(timedelta(minutes=_MINUTES), newest=_MAX_ATTEMPTS)
    return Counter(
        {code: count for code, count in codes.items() if code in _PERSISTENT | COOLDOWN_SECONDS.keys()}
    )
