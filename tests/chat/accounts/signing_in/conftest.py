"""Fixtures of second factors and passkeys."""

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth


@pytest.fixture
def required(settings: Any) -> Any:
    """A site whose staff need a second factor."""
    settings.STAFF_SECOND_FACTOR = True
    return settings


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that lets the time of the codes pass, in steps of 30 seconds."""
    steps = [0]

    def later(count: int = 1) -> None:
        steps[0] += count

    class Shifted:
        @staticmethod
        def time() -> float:
            return time.time() + steps[0] * 30

    monkeypatch.setattr(auth, "time", Shifted)
    return later
