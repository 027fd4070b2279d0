"""Recognize an unavailable database, and hold no connection and no thread while work only waits."""

from queueing.record.outage import is_outage
from queueing.record.threads import SerialThread, TidyThreads

__all__ = ["SerialThread", "TidyThreads", "is_outage"]
