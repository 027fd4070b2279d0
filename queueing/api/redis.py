"""The engine's connections to Redis, for an application that stores data of its own there."""

from queueing.schedule.redis_client import Unavailable, aclient, client
from queueing.schedule.scripts import app_key

__all__ = ["Unavailable", "aclient", "app_key", "client"]
