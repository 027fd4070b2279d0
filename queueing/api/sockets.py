"""Helpers for WebSocket consumers: database access off the loop, periodic work, channels that end."""

from queueing.events.follower import in_thread
from queueing.events.periodic import Periodic, safely
from queueing.events.reader import forget_channel

__all__ = ["Periodic", "forget_channel", "in_thread", "safely"]
