"""Care: a message that sounds like a crisis gets help lines at once, also when nothing else works.

Nothing here waits for a queue, Redis, the provider or the database. See docs/care.md.
"""

from .screening import Concern, screen

__all__ = ["Concern", "screen"]
