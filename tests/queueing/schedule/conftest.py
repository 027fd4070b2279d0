"""Fixtures of the tests of the schedule."""

import pytest


@pytest.fixture
def first_probe(settings):
    settings.QUEUEING = settings.QUEUEING | {"FIRST_PROBE": 5.0}
