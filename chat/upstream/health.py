"""Health warnings about the model's provider, which the queues' own health cannot give."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from chat.upstream.client import Provider
from chat.upstream.fallback import ACCOUNT_WAITS, REPLACED, breaker_of
from queueing.api import Permanent
from queueing.api.monitoring import CRITICAL, WARNING, HealthWarning, completed_since, recent_failures
from queueing.api.sockets import in_thread

from . import texts

#: The period, and the maximum number of attempts that are read, so that the query stays quick.
_PERIOD, _MAX_ATTEMPTS = timedelta(minutes=5), 500
#: Errors that do not pass by themselves: one of them is enough for a warning.
_PERSISTENT = {*ACCOUNT_WAITS, "not_configured"}
#: The number of other errors that is enough, and the share of the calls that the errors must be.
_ENOUGH, _SHARE = 3, 0.2
#: The share from which persistent errors are urgent. A provider that is down has a warning of its own.
_MOST = 0.5


async def provider_warnings() -> list[HealthWarning]:
    """Return warnings about a provider that fails, or does not answer while the fallback does."""
    warnings = await in_thread(_failing)()
    with suppress(Permanent):  # no model is configured: a system check reports that
        if Provider.fallback() and (state := await breaker_of(Provider.from_settings()).state()).cause:
            warnings.append(HealthWarning(WARNING, "fallback", "", texts.fallback_active(state.next_try)))
    return warnings


def _failing() -> list[HealthWarning]:
    """Return the warning about a provider of whose recent calls many failed, unless that is over."""
    failures = recent_failures(_PERIOD, newest=_MAX_ATTEMPTS)
    codes = Counter(code for code, _ in failures if code in _PERSISTENT | REPLACED)
    persistent, failed = sum(codes[code] for code in _PERSISTENT), codes.total()
    if not persistent and failed < _ENOUGH:
        return []
    queues = [name for name, queue in settings.QUEUEING["QUEUES"].items() if queue.get("provider")]
    share = failed / (failed + completed_since(timezone.now() - _PERIOD, queues))
    last = max(ended for code, ended in failures if code in codes)
    # Completed jobs are counted by the minute, so these are of the minutes after the last failure.
    is_over = completed_since(last + timedelta(minutes=1), queues) >= failed
    if share < _SHARE or is_over:
        return []
    level = CRITICAL if persistent and share >= _MOST else WARNING
    text = texts.failing(dict(codes.most_common()), round(_PERIOD.total_seconds() / 60))
    return [HealthWarning(level, "provider", "", text)]
