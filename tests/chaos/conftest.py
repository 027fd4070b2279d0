"""The tests of this folder hurt things, and wait until they have healed."""

from tests.chat.conftest import workers

__all__ = ["workers"]
