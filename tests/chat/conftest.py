"""What the tests with a real worker and a scripted model share."""

from collections.abc import Callable
from typing import Any

import pytest

from chat.analytics import tracker
from chat.analytics.tracker import Tracker


@pytest.fixture
def workers(qcluster: Callable[..., Any], provider: Any) -> Any:
    """A real cluster whose model is the scripted provider, which this is."""
    qcluster(**provider.publishes)
    return provider


@pytest.fixture
def counting(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    """Analytics on, with a tracker whose held events are handed over only when a test calls `flush`."""
    settings.ANALYTICS_DAYS = 90
    fresh = Tracker()
    monkeypatch.setattr(fresh, "_start", lambda: None)
    monkeypatch.setattr(tracker, "tracker", fresh)
    from chat.analytics import batches

    monkeypatch.setattr(batches, "_salts", {})  # the database they were in is empty again
    return fresh
