"""Have a recording written down. One request and one answer, nothing is streamed."""

from dataclasses import dataclass, replace
from typing import Any

import httpx2
from django.conf import settings

from chat.upstream.client import CONNECT_TIMEOUT, Provider, client_for
from chat.upstream.errors import garbled, mapped, not_configured
from queueing.api import JobError, Permanent

#: Seconds without a byte from the provider, which says nothing until it has heard everything.
PATIENCE = 240.0

#: In our general words for a refused request, put in those of a recording.
_WORDS = {
    "bad_request": ("unreadable", "This recording could not be read. Please record it again."),
    "too_long": ("too_long", "This recording is longer than can be transcribed. Please send a shorter one."),
}


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What was said; `text` is empty when nothing was."""

    text: str
    model: str
    seconds: float = 0.0
    """Length of the recording; 0 when the provider does not say."""
    input_tokens: int = 0
    output_tokens: int = 0


async def transcribe(*, data: bytes, file_name: str, media_type: str, language: str = "") -> Transcript:
    """The words of a recording; `language` is a hint such as `en`.

    `file_name` must end in what the format is called: providers go by it. Cancelling closes the
    connection at once. Raises `JobError` in every case that is not a transcript.
    """
    provider = who_transcribes()
    hint: dict[str, Any] = {"language": language} if language else {}
    try:
        client = await client_for(provider)
        answer = await client.audio.transcriptions.create(
            file=(file_name, data, media_type),
            model=provider.model,
            response_format="json",
            timeout=httpx2.Timeout(PATIENCE, connect=CONNECT_TIMEOUT),
            **hint,
        )
        return _read(answer, provider.model)
    except JobError:
        raise
    except Exception as exc:
        raise _in_words_of_a_recording(mapped(exc)) from exc


def who_transcribes() -> Provider:
    """Who is asked, as the settings say; `Permanent` (`not_configured`) when nobody is."""
    if not settings.OPENAI_TRANSCRIPTION_MODEL:
        raise not_configured("OPENAI_TRANSCRIPTION_MODEL is not set")
    provider = replace(Provider.from_settings(), model=settings.OPENAI_TRANSCRIPTION_MODEL)
    if not settings.OPENAI_TRANSCRIPTION_BASE_URL:
        return provider
    # The chat provider's key is not for another server's eyes.
    key = settings.OPENAI_TRANSCRIPTION_API_KEY or "none"
    return replace(provider, base_url=settings.OPENAI_TRANSCRIPTION_BASE_URL, api_key=key)


def _read(answer: Any, model: str) -> Transcript:
    """Whatever is not as documented raises, which `mapped` takes for an unreadable answer."""
    if not isinstance(answer.text, str):
        raise garbled()
    usage = getattr(answer, "usage", None)
    return Transcript(
        text=answer.text.replace("\0", "").encode("utf-8", "replace").decode().strip(),
        model=model,
        seconds=float(getattr(usage, "seconds", 0) or 0),
        input_tokens=int(getattr(usage, "input_tokens", 0) or 0),
        output_tokens=int(getattr(usage, "output_tokens", 0) or 0),
    )


def _in_words_of_a_recording(error: JobError) -> JobError:
    if error.code not in _WORDS:
        return error
    code, sentence = _WORDS[error.code]
    return Permanent(sentence, code=code)
