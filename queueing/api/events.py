"""The events of jobs, and how a client follows them to the end."""

from queueing.events.catch_up import text_so_far
from queueing.events.delivery import emit, emit_sync, group_of
from queueing.events.follower import Follower
from queueing.events.messages import (
    Event,
    common_fields,
    event_of,
    is_terminal,
    name_of,
    queued_event,
    topic_of,
)
from queueing.events.pressure_watch import PressureWatch
from queueing.events.reader import follow
from queueing.events.waits.delay_reasons import DELAY_REASON
from queueing.events.waits.standing import Standing, standing_of

__all__ = [
    "DELAY_REASON",
    "Event",
    "Follower",
    "PressureWatch",
    "Standing",
    "common_fields",
    "emit",
    "emit_sync",
    "event_of",
    "follow",
    "group_of",
    "is_terminal",
    "name_of",
    "queued_event",
    "standing_of",
    "text_so_far",
    "topic_of",
]
