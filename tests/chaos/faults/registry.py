"""The decorator that names a fault."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.system import System

Break = Callable[["System", random.Random], AsyncIterator[None]]
FAULTS: dict[str, "Fault"] = {}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A kind of fault. Everything it chooses comes from the dice that it is given."""

    name: str
    target: str
    """What it breaks: two faults of one target never overlap."""
    seconds: tuple[float, float]
    """The shortest and the longest time that it lasts."""
    where: str
    """Only with this database or this Redis; empty: everywhere."""
    doc: str
    applied: Callable[["System", random.Random], AbstractAsyncContextManager[None]]


def fault(
    name: str, *, target: str, seconds: tuple[float, float], where: str = ""
) -> Callable[[Break], Break]:
    """Register the decorated generator: it breaks the system, yields, and repairs it."""

    def register(function: Break) -> Break:
        FAULTS[name] = Fault(
            name=name,
            target=target,
            seconds=seconds,
            where=where,
            doc=(function.__doc__ or "").strip(),
            applied=asynccontextmanager(function),
        )
        return function

    return register
