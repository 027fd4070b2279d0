"""The faults: each is an async context manager that breaks something, and repairs it at its end."""

from tests.chaos.faults import clock, database, processes, provider, redis
from tests.chaos.faults.registry import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "clock", "database", "processes", "provider", "redis"]
