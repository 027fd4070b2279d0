"""The tests of this folder break running services, and wait until the system has recovered."""

from tests.chat.conftest import workers

__all__ = ["workers"]
