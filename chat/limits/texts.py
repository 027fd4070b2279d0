"""Sentences about limits that visitors read."""

import math

_REASONS = {
    "requests": "Too many requests.",
    "visitors": "Too many new visitors write from your network.",
    "megabytes": "Your network has sent very many files.",
    "events": "Your network has reported very many events.",
    "login": "Too many sign-in attempts.",
    "mail": "Too many e-mails to this address.",
}


STORAGE_FULL = "This server has no room for more at the moment. Nothing that it has accepted is lost."


def disk_nearly_full(megabytes: int) -> str:
    """Return the warning about a disk with less free space than this."""
    return f"A disk has less than {megabytes} MB free: what clients send is refused. Make room."


def limit_reached(name: str, wait: float) -> str:
    """Return the sentence for the limit `name` that allows the next request in `wait` seconds."""
    return f"{_REASONS[name]} Please wait {in_words(wait)}."


def in_words(seconds: float) -> str:
    """Return a time to wait: `42 s` or `5 min`."""
    return f"{math.ceil(seconds)} s" if seconds < 90 else f"{math.ceil(seconds / 60)} min"
