"""Fixtures for the HTTP API."""

import pytest

from .visitor import Visitor


@pytest.fixture
def alice() -> Visitor:
    return Visitor()
