"""The whole schedule, driven at random and compared with a model of a few dicts."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from .model import HOUR
from .state_machine import ScheduleMachine


def run_machine(client: Any, examples: int, steps: int) -> None:
    """Drive the machine; MACHINE_TIMES multiplies the number of examples."""
    machine = type("Machine", (ScheduleMachine,), {"client": client, "TestCase": None})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples * int(os.environ.get("MACHINE_TIMES", "1")),
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def client(valkey: Any, settings: Any) -> Any:
    """Redis, with leases, ageing and probes that are too long to matter within a test."""
    too_long = {"LEASE": HOUR, "AGEING": 1_000_000 * HOUR, "FIRST_PROBE": 100 * HOUR}
    settings.QUEUEING = settings.QUEUEING | too_long
    return valkey.client


@pytest.mark.timeout(900)  # passing takes seconds, shrinking a failure takes minutes
def test_schedule_random_moves_match_model(client):
    run_machine(client, 60, 50)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_schedule_many_random_moves_match_model(client):
    run_machine(client, 1000, 60)
