"""The demo ear itself hears real speech, in what browsers and phones record."""

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
from chat.voice.formats import recognise
from deploy.local import services
from queueing.api import Permanent
from tests import speech
from tests.support.valkey import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("faster_whisper") is None,
        reason="the demo ear is not installed: `make speech` does it, and so does `make run`",
    ),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    part = services.speech_service()
    process = subprocess.Popen(part.command)
    try:
        wait_until(lambda: not part.missing(), "the ear", 60)
        yield part.address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(autouse=True)
def ear(settings, url: str) -> None:
    settings.OPENAI_TRANSCRIPTION_BASE_URL = url


def encoded(codec: str, container: str, rate: int) -> bytes:
    """The clip once more, in another format."""
    import av  # comes with the ear

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


async def words(data: bytes) -> str:
    found = recognise(io.BytesIO(data))
    heard = await transcribe(data=data, file_name=f"recording.{found.extension}", media_type=found.media_type)
    assert 2 < heard.seconds < 4
    return heard.text.lower()


@pytest.mark.parametrize("clip", speech.CLIPS, ids=lambda path: path.name)
async def test_recorded_speech_is_understood(clip: Path):
    text = await words(clip.read_bytes())
    assert all(word in text for word in speech.HEARD), text


@pytest.mark.parametrize(
    ("codec", "container", "rate"), [("flac", "flac", 16_000), ("pcm_s16le", "wav", 16_000)]
)
async def test_so_it_is_in_other_formats(codec: str, container: str, rate: int):
    text = await words(encoded(codec, container, rate))
    assert all(word in text for word in speech.HEARD), text


@pytest.mark.parametrize("loudness", [0, 500])
async def test_in_silence_and_noise_it_hears_nothing(loudness: int):
    source, out = random.Random(7), io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(struct.pack("<48000h", *(int(source.gauss(0, loudness)) for _ in range(48_000))))
    assert await words(out.getvalue()) == ""


async def test_what_only_looks_like_a_recording_is_refused_as_unreadable():
    with pytest.raises(Permanent) as caught:
        await transcribe(data=b"no sound at all", file_name="recording.wav", media_type="audio/wav")
    assert caught.value.code == "unreadable"
