"""Availability of transcription. Only the local speech server of `make run` is contacted: it starts late."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings

from .texts import STARTING, UNAVAILABLE

#: Seconds to connect: the speech server is on this machine.
_CONNECT_TIMEOUT = 0.5


async def unavailable_reason() -> str:
    """Return a sentence why a recording cannot be transcribed now; empty when it can."""
    if not settings.OPENAI_TRANSCRIPTION_MODEL:
        return UNAVAILABLE
    if settings.DEMO_SPEECH and not await _accepts_connections(settings.OPENAI_TRANSCRIPTION_BASE_URL):
        return STARTING
    return ""


async def _accepts_connections(url: str) -> bool:
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
