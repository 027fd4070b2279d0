"""Sentences about limits that visitors read."""

import math

_REASONS = {
    "requests": "Too many requests.",
    "login": "Too many sign-in attempts.",
}


def limit_reached(name: str, wait: float) -> str:
    """Return the sentence for the limit `name` that allows the next request in `wait` seconds."""
    return f"{_REASONS[name]} Please wait {math.ceil(wait)} s."
