"""The demo speech server transcribes real speech in the formats of browsers and phones."""

import importlib.util
import io
import random
import struct
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from chat.upstream.transcription import transcribe
from chat.voice.formats import detect
from deploy.local import services
from queueing.api import Permanent
from tests import speech
from tests.support.valkey import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("faster_whisper") is None,
        reason="the demo speech model is not installed: `make speech` or `make run` installs it",
    ),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    part = services.speech_service()
    process = subprocess.Popen(part.command)
    try:
        wait_until(lambda: not part.missing(), "the speech server", 60)
        yield part.address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(autouse=True)
def speech_server(settings, url: str) -> None:
    settings.OPENAI_TRANSCRIPTION_BASE_URL = url


def encoded(codec: str, container: str, rate: int) -> bytes:
    """Return the clip in another format."""
    import av  # installed with the speech model

    out = io.BytesIO()
    with av.open(str(speech.WEBM)) as source, av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate)
        stream.layout = "mono"
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        for frame in [*source.decode(audio=0), None]:
            for part in resampler.resample(frame):
                target.mux(stream.encode(part))
        target.mux(stream.encode(None))
    return out.getvalue()


async def transcribed(data: bytes) -> str:
    audio_format = detect(io.BytesIO(data))
    transcript = await transcribe(
        data=data, file_name=f"recording.{audio_format.extension}", media_type=audio_format.media_type
    )
    assert 2 < transcript.seconds < 4
    return transcript.text.lower()


@pytest.mark.parametrize("clip", speech.CLIPS, ids=lambda path: path.name)
async def test_recorded_speech_is_transcribed(clip: Path):
    text = await transcribed(clip.read_bytes())
    assert all(word in text for word in speech.EXPECTED_WORDS), text


@pytest.mark.parametrize(
    ("codec", "container", "rate"), [("flac", "flac", 16_000), ("pcm_s16le", "wav", 16_000)]
)
async def test_other_formats_are_transcribed(codec: str, container: str, rate: int):
    text = await transcribed(encoded(codec, container, rate))
    assert all(word in text for word in speech.EXPECTED_WORDS), text


@pytest.mark.parametrize("loudness", [0, 500])
async def test_silence_and_noise_give_empty_transcript(loudness: int):
    source, out = random.Random(7), io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(struct.pack("<48000h", *(int(source.gauss(0, loudness)) for _ in range(48_000))))
    assert await transcribed(out.getvalue()) == ""


async def test_invalid_recording_is_unreadable():
    with pytest.raises(Permanent) as caught:
        await transcribe(data=b"no sound at all", file_name="recording.wav", media_type="audio/wav")
    assert caught.value.code == "unreadable"
