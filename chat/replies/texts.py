"""Sentences that visitors read when a reply cannot be written."""

THREAD_DELETED = "This conversation was deleted."
NO_COMPANION = "This companion is no longer available."
