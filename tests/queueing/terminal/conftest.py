"""The `terminal` fixture."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.cluster import environment

from .pseudo_terminal import Terminal


@pytest.fixture
def terminal(transactional_db: None, valkey: Any) -> Iterator[Callable[..., Terminal]]:
    """Call it to start `manage.py queue_monitor` with arguments, or any other python `command`."""
    started: list[Terminal] = []

    def start(*arguments: str, command: tuple[str, ...] = ("manage.py", "queue_monitor"), **env: str) -> Any:
        started.append(Terminal(*command, *arguments, env=environment(**{"TERM": "xterm-256color"} | env)))
        return started[-1]

    yield start
    for one in started:
        one.close()
