"""The alerts on record: which began, which are over, and which are still to be sent. All functions block."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from .channels import Channel, Message, works
from .models import Alert

#: How long a warning must last before it is sent, and be gone before it is over.
PATIENCE, CALM = timedelta(seconds=30), timedelta(seconds=60)
#: How long one process may take to send, and the wait after a failure.
CLAIM, AGAIN = timedelta(seconds=60), timedelta(seconds=60)
#: How long after the end a channel that fails is tried, and for how long alerts are kept.
TRY, KEEP = timedelta(days=1), timedelta(days=30)
_BATCH_SIZE = 500


def note(found: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Record the warnings of a look at the queues."""
    Alert.objects.filter(pk=0).update(text="")  # fails where the database only reads
    by_key = {(warning["code"], warning["queue"]): warning for warning in found}
    open_alerts = {(alert.code, alert.queue): alert for alert in Alert.objects.filter(over_at=None)}
    for (code, queue), warning in by_key.items():
        seen = {"level": warning["level"], "text": warning["text"], "seen_at": now}
        if alert := open_alerts.get((code, queue)):
            Alert.objects.filter(pk=alert.pk).update(**seen)
        else:
            row = Alert(code=code, queue=queue, since=now, **seen)
            Alert.objects.bulk_create([row], ignore_conflicts=True)  # another process may be as quick
    for key, alert in open_alerts.items():
        if key not in by_key and now - alert.seen_at >= CALM:
            Alert.objects.filter(pk=alert.pk, over_at=None).update(over_at=now)


def tell(channels: Sequence[Channel], now: datetime) -> None:
    """Send what was not yet sent. What fails is tried again later."""
    for alert in _lasting(now):
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        if _untold(alert, channels) and Alert.objects.filter(free, pk=alert.pk).update(
            claimed_until=now + CLAIM
        ):
            alert.refresh_from_db()
            again = None if _tell(alert, channels) else now + AGAIN
            Alert.objects.filter(pk=alert.pk).update(claimed_until=again)


def _lasting(now: datetime) -> Sequence[Alert]:
    """Return the alerts that lasted, and are not over for long, the oldest first."""
    lasted = Alert.objects.filter(seen_at__gte=F("since") + PATIENCE)
    return list(lasted.filter(Q(over_at=None) | Q(over_at__gte=now - TRY)).order_by("id"))


def _untold(alert: Alert, channels: Sequence[Channel]) -> list[Channel]:
    """Return the channels that have to tell the beginning, or the end if they have told the beginning."""
    if alert.over_at is None:
        return [channel for channel in channels if channel.name not in alert.told]
    return [c for c in channels if c.name in alert.told and c.name not in alert.told_over]


def _tell(alert: Alert, channels: Sequence[Channel]) -> bool:
    """Send the news of one alert. Return whether all channels worked."""
    worked = True
    done = alert.told_over if alert.over_at else alert.told
    for channel in _untold(alert, channels):
        if not works(channel, message_of(alert)):
            worked = False
        else:
            done.append(channel.name)
            Alert.objects.filter(pk=alert.pk).update(told=alert.told, told_over=alert.told_over)
    return worked


def message_of(alert: Alert) -> Message:
    """Return what the channels tell."""
    return Message(
        id=f"{alert.pk}-{'over' if alert.over_at else 'began'}",
        code=alert.code,
        queue=alert.queue,
        level=alert.level,
        text=alert.text,
        since=alert.since,
        over_at=alert.over_at,
    )


def prune() -> int:
    """Delete some old alerts, and return their number."""
    old = Alert.objects.filter(over_at__lt=timezone.now() - KEEP).values_list("pk", flat=True)
    return Alert.objects.filter(pk__in=list(old[:_BATCH_SIZE])).delete()[0]
