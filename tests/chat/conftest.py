"""Fixtures for tests with a real worker and a scripted model."""

from collections.abc import Callable
from typing import Any

import pytest

from chat.analytics.tracking import tracker
from chat.analytics.tracking.tracker import Tracker


@pytest.fixture
def workers(qcluster: Callable[..., Any], provider: Any) -> Any:
    """Start a real cluster whose model is the scripted provider; return the provider."""
    qcluster(**provider.publishes)
    return provider


@pytest.fixture
def manual_tracker(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    """A tracker that submits its events only when the test calls `flush`, with analytics on."""
    settings.ANALYTICS_DAYS = 90
    fresh = Tracker()
    monkeypatch.setattr(fresh, "_start", lambda: None)
    monkeypatch.setattr(tracker, "tracker", fresh)
    from chat.analytics.tracking import batches

    monkeypatch.setattr(batches, "_salts", {})  # the salts of the last test are no longer in the database
    return fresh
