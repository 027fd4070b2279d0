"""The moves of the schedule: for each the Lua script, its arguments, and how its reply is read.

Nothing here touches the database. The record is written first, by `queueing.record`.
"""

from .breakers import BreakerState, Fault, ProviderEnd, Verdict, admit, breaker_state, report
from .claims import (
    MAX_CLAIM_SIZE,
    Claimed,
    Claims,
    Outcome,
    alone_token,
    claim,
    claim_suspect,
    count_late_start,
    finish,
    is_alone,
    park_unable,
    release,
    renew,
    retry_later,
)
from .keys import app_key, key, notify_channel, queue_key, stream_key, worker_channel
from .limits import WEIGHTS, Weight, set_overrides, set_weights
from .reading import counts, positions
from .recovery import Lease, Repair, ending_leases, mark_reconciled, recount, repair, restore_active
from .streams import Command, RunWrite, TextChunk, append, parse_stream, while_claimed
from .submission import ScheduleEntry, account, postpone, promote, remove, submit

__all__ = [  # by module
    "MAX_CLAIM_SIZE",
    "WEIGHTS",
    "BreakerState",
    "Claimed",
    "Claims",
    "Command",
    "Fault",
    "Lease",
    "Outcome",
    "ProviderEnd",
    "Repair",
    "RunWrite",
    "ScheduleEntry",
    "TextChunk",
    "Verdict",
    "Weight",
    "account",
    "admit",
    "alone_token",
    "app_key",
    "append",
    "breaker_state",
    "claim",
    "claim_suspect",
    "count_late_start",
    "counts",
    "ending_leases",
    "finish",
    "is_alone",
    "key",
    "mark_reconciled",
    "notify_channel",
    "park_unable",
    "parse_stream",
    "positions",
    "postpone",
    "promote",
    "queue_key",
    "recount",
    "release",
    "remove",
    "renew",
    "repair",
    "report",
    "restore_active",
    "retry_later",
    "set_overrides",
    "set_weights",
    "stream_key",
    "submit",
    "while_claimed",
    "worker_channel",
]
