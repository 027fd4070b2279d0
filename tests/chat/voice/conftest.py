"""Two visitors, and workers with a scripted provider."""

import pytest

from tests.chat.browser import browser
from tests.provider.fixture import Provider
from tests.support.cluster import ClusterProcess


@pytest.fixture
async def alice():
    async with browser() as one:
        await one.client.get("/")
        yield one


@pytest.fixture
async def bob():
    async with browser() as one:
        await one.client.get("/")
        yield one


@pytest.fixture
def cluster(qcluster, provider: Provider) -> ClusterProcess:
    return qcluster(**provider.publishes, QUEUE_AUDIO_PROCESSING_BACKOFF_DELAY="0.1")
