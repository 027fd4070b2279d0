"""Who and what these tests share."""

import pytest

from queueing.api import pause


@pytest.fixture(autouse=True)
def stored(settings):
    settings.ANSWER_CACHE_SECONDS = 1000


@pytest.fixture
def workers(qcluster, provider):
    """A real cluster that stores answers, and the model behind it, which is asked for replies alone."""
    pause("background")
    qcluster(**provider.publishes, TEST_ANSWER_CACHE_SECONDS="1000")
    return provider
