"""Who and what these tests share."""

import pytest

from .visitor import Visitor


@pytest.fixture
def alice() -> Visitor:
    return Visitor()
