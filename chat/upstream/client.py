"""One SDK client per process and event loop, closed when its loop ends."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
from django.conf import settings

from chat.upstream.errors import not_configured

if TYPE_CHECKING:
    import openai

OPENAI_URL = "https://api.openai.com/v1"

#: Seconds to connect to the provider, and to wait for a connection of the pool.
CONNECT_TIMEOUT = 10.0
#: Seconds without a byte from the provider, before the first one or between two chunks.
READ_TIMEOUT = 60.0
#: Far above any sensible queue concurrency: the queue sets the limit, the pool must never do so.
MAX_CONNECTIONS = 10_000
#: Seconds an idle connection is kept, so that a burst of messages shares TLS handshakes.
KEEPALIVE = 30.0
#: Sent to servers without TLS. Some, such as llama.cpp, close the connection after each answer without
#: announcing it, and the next request on it is lost. Without a TLS handshake a new connection is cheap.
PLAIN_HEADERS = {"Connection": "close"}


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The address, key and API of one model, read from the settings."""

    base_url: str
    api_key: str
    model: str
    is_openai: bool
    """True for OpenAI's own hosts: they take parameters that other servers reject."""
    responses: bool
    """True for the Responses API, False for chat completions."""

    @classmethod
    def from_settings(cls) -> "Provider":
        """Return the first model's provider.

        Raises `Permanent` (`not_configured`) when no model or, for OpenAI itself, no key is set.
        """
        if not settings.OPENAI_MODEL:
            raise not_configured("OPENAI_MODEL is not set")
        base_url, key = settings.OPENAI_BASE_URL or OPENAI_URL, settings.OPENAI_API_KEY
        if _is_openai(base_url) and not key:
            raise not_configured("OPENAI_API_KEY is not set")
        return cls._build(base_url, key, settings.OPENAI_MODEL, settings.OPENAI_API)

    @classmethod
    def fallback(cls) -> "Provider | None":
        """Return the fallback model's provider, or None when no fallback is configured.

        Without an address of its own it shares the first model's address and key.
        """
        if not settings.OPENAI_FALLBACK_MODEL:
            return None
        if base_url := settings.OPENAI_FALLBACK_BASE_URL:
            key, api = settings.OPENAI_FALLBACK_API_KEY, "auto"
        else:
            base_url, api = settings.OPENAI_BASE_URL or OPENAI_URL, settings.OPENAI_API
            key = settings.OPENAI_FALLBACK_API_KEY or settings.OPENAI_API_KEY
        return cls._build(base_url, key, settings.OPENAI_FALLBACK_MODEL, api)

    @classmethod
    def _build(cls, base_url: str, key: str, model: str, api: str) -> "Provider":
        is_openai = _is_openai(base_url)
        return cls(
            base_url=base_url,
            # Other servers often need no key, but the SDK requires one.
            api_key=key or "none",
            model=model,
            is_openai=is_openai,
            responses=api == "responses" or (api == "auto" and is_openai),
        )


def _is_openai(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


_Key = tuple[asyncio.AbstractEventLoop, str, str]
_clients: "dict[_Key, AsyncGenerator[openai.AsyncOpenAI, None]]" = {}


async def client_for(provider: Provider) -> "openai.AsyncOpenAI":
    """Return the running loop's client for this provider; the first call creates it in about 20 ms."""
    key = (asyncio.get_running_loop(), provider.base_url, provider.api_key)
    if key not in _clients:
        _clients[key] = _closed_with_loop(key, _new_client(provider))
    return await anext(_clients[key])


async def _closed_with_loop(
    key: _Key, client: "openai.AsyncOpenAI"
) -> "AsyncGenerator[openai.AsyncOpenAI, None]":
    """Yield `client` on each `anext`, and close it when its loop ends.

    A loop ends with `shutdown_asyncgens()` (`asyncio.run` calls it), which resumes this generator in its
    `finally`. So the client is closed in its own loop, without any call from the code that uses it.
    """
    try:
        while True:
            yield client
    finally:
        del _clients[key]
        await client.close()


def _new_client(provider: Provider) -> "openai.AsyncOpenAI":
    import openai  # see __init__.py

    timeout = httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT)
    # The aiohttp transport serves 1,000 streams with less than half the CPU time of the default one.
    transport = openai.DefaultAioHttpClient(
        timeout=timeout,
        # A redirect would send the conversation to an address that the operator has not chosen.
        follow_redirects=False,
        limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE),
    )
    # No retries here: the queue retries, where attempts are visible, spaced and limited.
    return openai.AsyncOpenAI(
        base_url=provider.base_url,
        api_key=provider.api_key,
        timeout=timeout,
        max_retries=0,
        default_headers=PLAIN_HEADERS if provider.base_url.startswith("http://") else {},
        http_client=transport,
    )
