"""Sentences about uploaded files that visitors read."""

EMPTY_FILE = "This file is empty."
TOO_MANY_FILES = "Too many of your files are waiting. Please wait until some of them are processed."
TOO_MANY_FILES_OF_ALL = "Too many files are waiting. Please wait until some of them are processed."


def too_large(max_bytes: int) -> str:
    """Return the sentence for a file with more than `max_bytes`."""
    return f"This file is larger than {max_bytes // 2**20} MB."
