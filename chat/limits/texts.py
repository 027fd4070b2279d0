"""Sentences about limits that visitors read."""

import math

_REASONS = {
    "requests": "Too many requests.",
    "login": "Too many sign-in attempts.",
    "mail": "Too many e-mails to this address.",
}


def limit_reached(name: str, wait: float) -> str:
    """Return the sentence for the limit `name` that allows the next request in `wait` seconds."""
    return f"{_REASONS[name]} Please wait {in_words(wait)}."


def in_words(seconds: float) -> str:
    """Return a time to wait: `42 s` or `5 min`."""
    return f"{math.ceil(seconds)} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"
