"""Fixtures for the answer cache."""

import pytest

from queueing.api import pause


@pytest.fixture(autouse=True)
def stored(settings):
    settings.ANSWER_CACHE_SECONDS = 1000


@pytest.fixture
def workers(qcluster, provider):
    """Start a real cluster that stores answers; return its model, which gets only requests for replies."""
    pause("background")
    qcluster(**provider.publishes, TEST_ANSWER_CACHE_SECONDS="1000")
    return provider
