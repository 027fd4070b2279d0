"""Care: who speaks of a crisis is shown help at once, whatever else works or does not. docs/care.md.

Nothing here waits for a queue, Redis, the provider or the database.
"""

from .screening import Concern, screen

__all__ = ["Concern", "screen"]
