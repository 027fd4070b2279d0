"""The processes of a run: two web processes, two clusters, the provider, Redis, the database, the links."""

from tests.chaos.system.system import System

__all__ = ["System"]
