"""What an application needs so that nothing that waits holds a database connection or a thread."""

from queueing.record.outage import is_outage
from queueing.record.threads import SerialThread, TidyThreads

__all__ = ["SerialThread", "TidyThreads", "is_outage"]
