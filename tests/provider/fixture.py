"""The `provider` fixture: a separate scripted provider for each test."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.provider.script import Script
from tests.provider.server import Request, Server
from tests.support.valkey import lasting_port


class Provider:
    """The provider as a test sees it. The server runs in its own thread.

    All methods may be called from any thread. `wait_for` blocks: coroutines await `eventually` instead.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host, self._server = host, Server(host)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="provider", daemon=True)

    def start(self, port: int = 0) -> None:
        self._thread.start()
        self._run(self._server.start(port))

    def stop(self) -> None:
        self._run(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    @property
    def base_url(self) -> str:
        """The value for OPENAI_BASE_URL."""
        return f"http://{self._host}:{self._server.port}/v1"

    @property
    def publishes(self) -> dict[str, str]:
        """Environment variables that make another process use this provider."""
        return {
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_API_KEY": "sk-of-the-tests",
            "OPENAI_MODEL": "scripted",
        }

    @property
    def requests(self) -> list[Request]:
        """All requests so far, oldest first."""
        return list(self._server.log)

    def script(self, *scripts: Script, **fields: Any) -> None:
        """Queue answers for the next requests: scripts, or the fields of one."""
        self._server.scripts.add(*scripts)
        if fields:
            self._server.scripts.add(Script(**fields))

    def reset(self) -> None:
        """Delete all scripts and requests, and release all waiting answers."""
        self._run(self._server.forget())

    def refuse_connections(self) -> None:
        """Refuse new connections, as a server that is down."""
        self._run(self._server.refuse())

    def accept_connections(self) -> None:
        """Accept connections again."""
        self._run(self._server.listen(self._server.port))

    def release(self, name: str) -> None:
        """Release all answers that wait `until` this name, now and later."""
        self._run(self._server.release(name))

    def wait_for(self, predicate: Callable[[list[Request]], Any], timeout: float = 10.0) -> None:
        """Block until `predicate(requests)` holds."""
        with self._server.changed:
            if not self._server.changed.wait_for(lambda: predicate(self.requests), timeout):
                raise AssertionError(f"not within {timeout} s; the provider received {self.requests}")

    async def eventually(self, predicate: Callable[[list[Request]], Any], timeout: float = 10.0) -> None:
        """Await what `wait_for` blocks for."""
        await asyncio.to_thread(self.wait_for, predicate, timeout)


@pytest.fixture(scope="session")
def provider_port() -> int:
    """The port of every provider: clusters of the same environment start quickly (support/nursery.py)."""
    return lasting_port()


@pytest.fixture
def provider(settings: Any, provider_port: int) -> Iterator[Provider]:
    """A running provider, used by the settings. Other processes need `publishes` in their environment."""
    provider = Provider()
    provider.start(provider_port)
    for name, value in provider.publishes.items():
        setattr(settings, name, value)
    settings.OPENAI_API = "auto"
    yield provider
    provider.stop()


@pytest.fixture(params=["chat", "responses"])
def api(request: Any, provider: Provider, settings: Any) -> str:
    """Run a test with each of the two APIs."""
    settings.OPENAI_API = request.param
    return str(request.param)
