"""Calls of the model that transcribes: reserved before, recorded after, and estimated where it is silent."""

import asyncio
from dataclasses import dataclass
from math import ceil
from typing import Literal

from chat.prompting.token_budget import estimate_tokens
from chat.upstream import CallUsage
from chat.upstream.transcription import Transcript, transcribe, transcription_provider
from chat.usage.budgets import CallSize
from queueing.api import JobError

from .model_calls import Payer

#: Tokens of a second of audio, as OpenAI counts them, and of the words that are said in it.
AUDIO_TOKENS_PER_SECOND, TEXT_TOKENS_PER_SECOND = 10, 5


@dataclass(frozen=True, kw_only=True)
class Recording:
    """A recording to transcribe."""

    data: bytes
    file_name: str
    media_type: str
    language: str
    """A hint such as `en`, or empty."""
    seconds: float
    """The length, estimated."""
    max_seconds: float
    """The maximum length of a recording of this size."""


def size_of_call(max_seconds: float) -> CallSize:
    """Return the maximum that a transcription of this length uses."""
    output_tokens = ceil(max_seconds * TEXT_TOKENS_PER_SECOND)
    return CallSize(
        tokens=ceil(max_seconds * AUDIO_TOKENS_PER_SECOND) + output_tokens,
        output_tokens=output_tokens,
        seconds_of_audio=max_seconds,
    )


async def call_transcription(recording: Recording, payer: Payer) -> Transcript:
    """Return the transcript, paid by `payer`. Raise as `call_model` and `transcribe` do.

    A call that was cancelled, or that the provider did not answer in time, may have been made: it counts.
    """
    model = transcription_provider().model
    async with payer.paying(size_of_call(recording.max_seconds), model) as on_usage:
        try:
            transcript = await transcribe(
                data=recording.data,
                file_name=recording.file_name,
                media_type=recording.media_type,
                language=recording.language,
            )
        except asyncio.CancelledError:
            on_usage(_usage(recording, Transcript(text="", model=model), "cancelled"))
            raise
        except JobError as exc:
            if exc.code == "provider_timeout":
                on_usage(_usage(recording, Transcript(text="", model=model), "failed"))
            raise
        on_usage(_usage(recording, transcript, "stop"))
        return transcript


def _usage(
    recording: Recording, transcript: Transcript, ended: Literal["stop", "failed", "cancelled"]
) -> CallUsage:
    """Return what the provider reported, and an estimate of what it did not."""
    has_tokens = bool(transcript.input_tokens or transcript.output_tokens)
    audio_tokens = ceil((transcript.seconds or recording.seconds) * AUDIO_TOKENS_PER_SECOND)
    return CallUsage(
        model=transcript.model,
        input_tokens=transcript.input_tokens if has_tokens else audio_tokens,
        output_tokens=transcript.output_tokens if has_tokens else estimate_tokens(transcript.text),
        cached_tokens=0,
        seconds_of_audio=transcript.seconds or recording.seconds,
        estimated=not (has_tokens and transcript.seconds),
        ended=ended,
    )
