"""Who and what these tests share."""

import pytest

from tests.integration.api.visitor import Visitor


@pytest.fixture
def alice() -> Visitor:
    return Visitor()
