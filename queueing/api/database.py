"""Recognize an unavailable database, insert rows by plain SQL, and hold nothing while work only waits."""

from queueing.record.bulk_insert import insert
from queueing.record.outage import is_outage
from queueing.record.threads import SerialThread, TidyThreads

__all__ = ["SerialThread", "TidyThreads", "insert", "is_outage"]
