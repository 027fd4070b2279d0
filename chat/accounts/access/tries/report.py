"""What operators learn about wrong and refused tries of secrets: log lines, metrics, and a health warning.

{buddy}:tries          hash  "<what> <outcome>" -> number, for the metrics
{buddy}:tries:<period> hash  outcome -> number in this period, for the warning
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from prometheus_client.metrics_core import CounterMetricFamily, Metric

from chat.accounts import texts
from queueing.api import redis
from queueing.api.metrics import metric_name
from queueing.api.monitoring import WARNING, HealthWarning

logger = logging.getLogger(__name__)

FAILED, REFUSED = "failed", "refused"
#: Seconds that are counted together. A warning is about the present period and the one before.
PERIOD = 600
#: Wrong and refused tries in this time from which on an operator should look.
MANY = {FAILED: 50, REFUSED: 10}
#: Seconds between two log lines about refusals of the same network and account; how many are remembered.
_QUIET, _MAX_REMEMBERED = 60.0, 1_000

_last_logged: OrderedDict[tuple[str, ...], float] = OrderedDict()


def failed(what: str, account: str, network: str) -> None:
    """Report a wrong secret."""
    logger.warning("a wrong %s was tried: %s", texts.TRIED[what], _origin(account, network))
    _count(what, FAILED)


def refused(what: str, account: str, network: str) -> None:
    """Report a try that was refused. Repeated ones are counted, but not logged again within a minute."""
    _count(what, REFUSED)
    now, key = time.monotonic(), (what, account, network)
    if now - _last_logged.get(key, -_QUIET) < _QUIET:
        return
    _last_logged[key] = now
    _last_logged.move_to_end(key)
    if len(_last_logged) > _MAX_REMEMBERED:
        _last_logged.popitem(last=False)
    logger.warning("too many tries of a %s, refused: %s", texts.TRIED[what], _origin(account, network))


def _origin(account: str, network: str) -> str:
    """Return a text such as `user 12 from 192.0.2.1`. It has no name: what was typed may be a password."""
    users = get_user_model()._default_manager.filter(username=account)
    found = users.values_list("pk", flat=True).first() if account else None
    who = f"user {found}" if found else "an unknown name" if account else "no account"
    return f"{who} from {network or 'a command'}"


def _count(what: str, outcome: str) -> None:
    try:
        pipe = redis.client().pipeline(transaction=False)
        pipe.hincrby(redis.app_key("tries"), f"{what} {outcome}", 1)
        pipe.hincrby(_period(0), outcome, 1)
        pipe.expire(_period(0), 2 * PERIOD)
        pipe.execute()
    except redis.Unavailable:
        return  # the log has it


def _period(before: int) -> str:
    return redis.app_key(f"tries:{int(time.time() // PERIOD) - before}")


def metrics() -> Iterator[Metric]:
    """Yield the number of wrong and refused tries, since Redis has its data."""
    counted = CounterMetricFamily(
        metric_name("tries"), "Wrong and refused tries of secrets.", labels=["what", "outcome"]
    )
    try:
        rows: dict[str, Any] = redis.client().hgetall(redis.app_key("tries"))
    except redis.Unavailable:
        return
    for name, number in sorted(rows.items()):
        counted.add_metric(name.split(" "), int(number))
    yield counted


async def warnings() -> list[HealthWarning]:
    """Return a warning while many secrets are tried."""
    counts = dict.fromkeys(MANY, 0)
    try:
        for before in (0, 1):
            for outcome, number in (await redis.aclient().hgetall(_period(before))).items():
                counts[outcome] += int(number)
    except redis.Unavailable:
        return []
    if all(counts[outcome] < many for outcome, many in MANY.items()):
        return []
    text = texts.many_tries(counts[FAILED], counts[REFUSED], 2 * PERIOD // 60)
    return [HealthWarning(WARNING, "tries", "", text)]
