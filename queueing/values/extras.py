"""The extras of the package: what only one part of the engine needs, and a project may go without."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import packages of the extra `name`. If one is missing, raise `ModuleNotFoundError` that says so."""
    try:
        yield
    except ModuleNotFoundError as missing:
        message = f"{missing.name} is not installed. Run: pip install 'django-queueing[{name}]'"
        raise ModuleNotFoundError(message, name=missing.name) from None
