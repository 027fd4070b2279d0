"""Processes that start at once: each is forked from one that has loaded the project in the same environment.

To load the project takes a second of computing, longer than most tests. The first process with some variables
of the environment pays it in a parent; the next ones with the same ones are forked from this parent.
"""

import atexit
import gc
import importlib
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: Parents that are kept, each for other environment variables.
_MAX_PARENTS = 4

# Forked from a process that has imported the libraries, a parent loads the project in a third of the time.
_libraries = multiprocessing.get_context("forkserver")
_libraries.set_forkserver_preload(["tests.support.libraries"])


def start(target: Callable[..., None], env: dict[str, str], *args: Any) -> "Child":
    """Call `target` in a new process that has these environment variables and has loaded the project."""
    env = {name: value for name, value in env.items() if name != "PYTEST_CURRENT_TEST"}
    key = tuple(sorted(env.items()))
    parent = _parents.pop(key, None) or _Parent(env)
    _parents[key] = parent  # as the latest
    for old, other in list(_parents.items())[:-_MAX_PARENTS]:
        if not other.has_children():
            _parents.pop(old).close()
    return parent.fork(target, *args)


class Child:
    """A started process."""

    def __init__(self, parent: "_Parent", pid: int) -> None:
        self.pid = pid
        self._parent = parent
        self._exit_code: int | None = None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, negative after a signal."""
        if self._exit_code is None:
            self._exit_code = self._parent.ask("exit_code", self.pid)
        return self._exit_code

    def send(self, signal: int) -> None:
        """Send it a signal, if it runs."""
        if self.exit_code is None:
            os.kill(self.pid, signal)

    def join(self, timeout: float) -> int | None:
        """Wait until it has ended, but no longer than `timeout` seconds. Return its exit code."""
        from tests.support.valkey import poll_until

        poll_until(lambda: self.exit_code is not None, timeout)
        return self.exit_code


class _Parent:
    """A process that has loaded the project, as this process sees it."""

    def __init__(self, env: dict[str, str]) -> None:
        self._line, other = _libraries.Pipe()
        self._process = _libraries.Process(target=_serve, args=(other, env))
        self._process.start()
        other.close()
        self._children: list[Child] = []

    def fork(self, target: Callable[..., None], *args: Any) -> Child:
        self._children.append(Child(self, self.ask("fork", target, *args)))
        return self._children[-1]

    def has_children(self) -> bool:
        self._children = [child for child in self._children if child.exit_code is None]
        return bool(self._children)

    def ask(self, *question: Any) -> Any:
        self._line.send(question)
        return self._line.recv()

    def close(self) -> None:
        """Let the process end."""
        self._line.close()


_parents: dict[tuple[tuple[str, str], ...], _Parent] = {}


@atexit.register  # before multiprocessing waits for the parents
def _close_all() -> None:
    for parent in _parents.values():
        parent.close()


def _serve(line: Connection, env: dict[str, str]) -> None:
    """Be the parent of all processes that have these environment variables."""
    _load(env)
    forked: dict[int, Any] = {}
    while True:
        try:
            what, first, *args = line.recv()
        except EOFError:
            return
        if what == "fork":
            process = multiprocessing.get_context("fork").Process(target=_call, args=(line, first, args))
            process.start()
            forked[process.pid] = process
            line.send(process.pid)
        else:
            line.send(forked[first].exitcode)


def _call(line: Connection, target: Callable[..., None], args: list[Any]) -> None:
    line.close()
    target(*args)


def _load(env: dict[str, str]) -> None:
    """Do what does not depend on the command: the settings, the models, the pages."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    if path := env.get("TEST_CLOCK"):
        from tests.support import clock

        clock.follow(path)
    import django
    from django.core import checks

    django.setup()
    for name, value in (change.split("=") for change in env.get("TEST_CONSTANTS", "").split()):
        module, _, constant = name.rpartition(".")  # such as queueing.worker.supervisor._BLOCKED_AFTER=1
        setattr(importlib.import_module(module), constant, float(value))
    importlib.import_module("queueing.worker.supervisor")
    checks.run_checks()  # loads all pages
    gc.collect()
    gc.freeze()
