"""The `terminal` fixture, which commands with a screen need, too."""

from tests.queueing.terminal.conftest import terminal

__all__ = ["terminal"]
