"""Whether anybody listens. Only `make run`'s own ear is looked at: it comes up after the page does."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings

#: Seconds; the ear is on this machine, or not there.
_PATIENCE = 0.5

NOT_SET_UP = "Voice messages are not set up here."
STARTING = "Voice is still being set up on this machine. The first time that takes a minute or two."


async def missing() -> str:
    """Why a recording could not be transcribed now, as a sentence; empty when it could."""
    if not settings.OPENAI_TRANSCRIPTION_MODEL:
        return NOT_SET_UP
    if settings.DEMO_SPEECH and not await _answers(settings.OPENAI_TRANSCRIPTION_BASE_URL):
        return STARTING
    return ""


async def _answers(url: str) -> bool:
    place = urlsplit(url)
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(place.hostname, place.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True
