"""What the tests with a real worker and a scripted model share."""

from collections.abc import Callable
from typing import Any

import pytest

#: What a qcluster is told, so that its model is the scripted provider.
SCRIPTED = {"OPENAI_API_KEY": "sk-of-the-tests", "OPENAI_MODEL": "scripted"}


@pytest.fixture
def workers(qcluster: Callable[..., Any], provider: Any) -> Any:
    """A real cluster whose model is the scripted provider, which this is."""
    qcluster(OPENAI_BASE_URL=provider.base_url, **SCRIPTED)
    return provider
