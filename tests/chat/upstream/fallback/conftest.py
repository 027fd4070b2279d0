"""Settings of these tests: a fallback model."""

import pytest

from tests.provider.fixture import Provider


@pytest.fixture(autouse=True)
def fallback_model(provider: Provider, settings):
    settings.OPENAI_FALLBACK_MODEL = "second"
