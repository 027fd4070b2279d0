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

#: Seconds to reach the provider, and to be given a connection of the pool.
CONNECT_TIMEOUT = 10.0
#: Seconds of silence from the provider, before its first byte and between any two pieces.
READ_TIMEOUT = 60.0
#: Far above any sensible queue concurrency: the queue is what limits, the pool must never be.
MAX_CONNECTIONS = 10_000
#: Seconds an idle connection is kept, so that a burst of messages shares TLS handshakes.
KEEPALIVE = 30.0
#: Sent to servers without TLS. llama.cpp, for one, hangs up after each answer without saying so, and the
#: next request on that connection is lost; where there is no handshake, a new one costs next to nothing.
PLAIN_HEADERS = {"Connection": "close"}


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Who answers, as the settings say at this moment."""

    base_url: str
    api_key: str
    model: str
    is_openai: bool
    """OpenAI's own hosts take parameters that others reject."""
    responses: bool
    """Speak the Responses API; chat completions otherwise."""

    @classmethod
    def from_settings(cls) -> "Provider":
        """Raises `Permanent` (`not_configured`) when no model or, for OpenAI itself, no key is set."""
        if not settings.OPENAI_MODEL:
            raise not_configured("OPENAI_MODEL is not set")
        base_url, key = settings.OPENAI_BASE_URL or OPENAI_URL, settings.OPENAI_API_KEY
        if _is_openai(base_url) and not key:
            raise not_configured("OPENAI_API_KEY is not set")
        return cls._at(base_url, key, settings.OPENAI_MODEL, settings.OPENAI_API)

    @classmethod
    def fallback(cls) -> "Provider | None":
        """Who answers when the first cannot; None when nobody is set up to.

        It is where the first is, with its key, unless it has an address of its own.
        """
        if not settings.OPENAI_FALLBACK_MODEL:
            return None
        if base_url := settings.OPENAI_FALLBACK_BASE_URL:
            key, api = settings.OPENAI_FALLBACK_API_KEY, "auto"
        else:
            base_url, api = settings.OPENAI_BASE_URL or OPENAI_URL, settings.OPENAI_API
            key = settings.OPENAI_FALLBACK_API_KEY or settings.OPENAI_API_KEY
        return cls._at(base_url, key, settings.OPENAI_FALLBACK_MODEL, api)

    @classmethod
    def _at(cls, base_url: str, key: str, model: str, api: str) -> "Provider":
        is_openai = _is_openai(base_url)
        return cls(
            base_url=base_url,
            # Other servers often want none, but the SDK insists on something.
            api_key=key or "none",
            model=model,
            is_openai=is_openai,
            responses=api == "responses" or (api == "auto" and is_openai),
        )


def _is_openai(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


_Key = tuple[asyncio.AbstractEventLoop, str, str]
_held: "dict[_Key, AsyncGenerator[openai.AsyncOpenAI, None]]" = {}


async def client_for(provider: Provider) -> "openai.AsyncOpenAI":
    """The running loop's client for this provider; made on first use, which takes about 20 ms."""
    key = (asyncio.get_running_loop(), provider.base_url, provider.api_key)
    if key not in _held:
        _held[key] = _until_loop_ends(key, _new_client(provider))
    return await anext(_held[key])


async def _until_loop_ends(
    key: _Key, client: "openai.AsyncOpenAI"
) -> "AsyncGenerator[openai.AsyncOpenAI, None]":
    """Hand out `client` to whoever asks, and close it when its loop ends.

    Whoever runs a loop ends it with `shutdown_asyncgens()` (`asyncio.run` does), which resumes this
    generator in its `finally`: the client is closed in its own loop, and nobody has to remember it.
    """
    try:
        while True:
            yield client
    finally:
        del _held[key]
        await client.close()


def _new_client(provider: Provider) -> "openai.AsyncOpenAI":
    import openai  # see __init__.py

    timeout = httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT)
    # The aiohttp transport serves 1,000 streams with less than half the CPU of the default one.
    transport = openai.DefaultAioHttpClient(
        timeout=timeout,
        limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, keepalive_expiry=KEEPALIVE),
    )
    # No retries here: the queue owns them, where they are seen, spaced and limited.
    return openai.AsyncOpenAI(
        base_url=provider.base_url,
        api_key=provider.api_key,
        timeout=timeout,
        max_retries=0,
        default_headers=PLAIN_HEADERS if provider.base_url.startswith("http://") else {},
        http_client=transport,
    )
