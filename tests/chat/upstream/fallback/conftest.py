"""Who and what these tests share."""

import pytest

from tests.provider.fixture import Provider


@pytest.fixture(autouse=True)
def _second(provider: Provider, settings):
    settings.OPENAI_FALLBACK_MODEL = "second"
