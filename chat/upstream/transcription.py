"""Transcribe a recording: one request and one answer, without streaming."""

from dataclasses import dataclass, replace
from typing import Any

import httpx2
from django.conf import settings

from chat.upstream.client import CONNECT_TIMEOUT, Provider, client_for
from chat.upstream.errors import as_job_error, garbled, not_configured
from queueing.api import JobError, Permanent

from . import texts
from .stream_errors import error_in

#: Seconds without a byte from the provider, which sends nothing until the transcript is complete.
READ_TIMEOUT = 240.0

#: Codes of errors about a message, and the code and sentence of the same error about a recording.
_RECORDING_ERRORS = {
    "bad_request": ("unreadable", texts.RECORDING_UNREADABLE),
    "too_long": ("too_long", texts.RECORDING_TOO_LONG),
}


#: Tokens or seconds of one call above which a provider's number is an error.
_MAX_REPORTED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """A transcript; `text` is empty for a recording without speech."""

    text: str
    model: str
    seconds: float = 0.0
    """Length of the recording; 0 when the provider does not report it."""
    input_tokens: int = 0
    output_tokens: int = 0


async def transcribe(*, data: bytes, file_name: str, media_type: str, language: str = "") -> Transcript:
    """Return the transcript of a recording; `language` is a hint such as `en`.

    `file_name` must end in the format's extension: providers detect the format by it. Cancelling closes the
    connection at once. Raises `JobError` in every case that is not a transcript.
    """
    provider = transcription_provider()
    hint: dict[str, Any] = {"language": language} if language else {}
    try:
        client = await client_for(provider)
        answer = await client.audio.transcriptions.create(
            file=(file_name, data, media_type),
            model=provider.model,
            response_format="json",
            timeout=httpx2.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
            **hint,
        )
        return _read(answer, provider.model)
    except Exception as exc:
        error = _recording_error(as_job_error(exc))
        raise error from (None if error is exc else exc)


def transcription_provider() -> Provider:
    """Return the provider from the settings. Raises `Permanent` (`not_configured`) without a model."""
    if not settings.OPENAI_TRANSCRIPTION_MODEL:
        raise not_configured("OPENAI_TRANSCRIPTION_MODEL is not set")
    provider = replace(Provider.from_settings(), model=settings.OPENAI_TRANSCRIPTION_MODEL)
    if not settings.OPENAI_TRANSCRIPTION_BASE_URL:
        return provider
    # The chat provider's key must not reach another server.
    key = settings.OPENAI_TRANSCRIPTION_API_KEY or "none"
    return replace(provider, base_url=settings.OPENAI_TRANSCRIPTION_BASE_URL, api_key=key)


def _read(answer: Any, model: str) -> Transcript:
    """Return the transcript in `answer`. Raises for a field that is not as documented."""
    if error := error_in(answer.to_dict()):
        raise error
    if not isinstance(answer.text, str):
        raise garbled()
    usage = getattr(answer, "usage", None)
    return Transcript(
        text=answer.text.replace("\0", "").encode("utf-8", "replace").decode().strip(),
        model=model,
        seconds=float(_reported(usage, "seconds")),
        input_tokens=int(_reported(usage, "input_tokens")),
        output_tokens=int(_reported(usage, "output_tokens")),
    )


def _reported(usage: Any, name: str) -> int | float:
    """Return a number that the provider reported; 0 for anything that is none."""
    value = getattr(usage, name, 0)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and 0 < value <= _MAX_REPORTED else 0


def _recording_error(error: JobError) -> JobError:
    if error.code not in _RECORDING_ERRORS:
        return error
    code, sentence = _RECORDING_ERRORS[error.code]
    return Permanent(sentence, code=code)
