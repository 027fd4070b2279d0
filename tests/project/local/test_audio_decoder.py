"""The decoder of the demo speech server: sound within limits, also for files that lie (O19)."""

import importlib.util
import io
import struct
import subprocess
import sys
import wave

import pytest

from deploy.local import audio_decoder, whisper_server
from tests import speech

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="PyAV is not installed: `make speech` installs it"
)


def decoded(data: bytes) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "deploy.local.audio_decoder"]
    return subprocess.run(command, input=data, capture_output=True, check=False)


def wav(rate: int, seconds: float, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((channels, 1, rate, 0, "NONE", ""))
        file.writeframes(bytes(int(rate * seconds) * channels))
    return out.getvalue()


def flac_of_silence(frames: int) -> bytes:
    """Return silence in which a dozen bytes stand for 65,535 samples; its header names one second."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="flac") as target:
        stream = target.add_stream("flac", rate=16_000)
        stream.layout = "mono"
        frame = av.AudioFrame(format="s16", layout="mono", samples=65_535)
        frame.sample_rate = 16_000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for number in range(frames):
            frame.pts = number * 65_535
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    data = bytearray(out.getvalue())
    data[18:26] = struct.pack(">Q", 16_000 << 44 | 15 << 36 | 16_000)
    return bytes(data)


@pytest.mark.parametrize("clip", speech.CLIPS, ids=lambda path: path.name)
def test_recording_is_decoded_to_16_kilohertz(clip):
    done = decoded(clip.read_bytes())
    assert done.returncode == 0, done.stderr
    assert 2 < len(done.stdout) / 2 / audio_decoder.RATE < 4


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (wav(1, 20_000), audio_decoder.UNREADABLE),
        (wav(100, 1_000), audio_decoder.UNREADABLE),
        (wav(8_000, audio_decoder.MAX_SECONDS + 1), audio_decoder.TOO_LONG),
        (b"no sound at all", audio_decoder.UNREADABLE),
        (b"", audio_decoder.UNREADABLE),
        (speech.WEBM.read_bytes()[:100], audio_decoder.UNREADABLE),
    ],
    ids=["1 Hz", "100 Hz", "long", "no sound", "empty", "cut"],
)
def test_sound_beyond_the_limits_is_refused(data, code):
    done = decoded(data)
    assert done.returncode == code, done.stderr
    assert len(done.stdout) <= audio_decoder.MAX_SECONDS * audio_decoder.RATE * 2


def test_header_that_names_a_second_does_not_hide_half_an_hour():
    data = flac_of_silence(frames=440)
    assert len(data) < 400_000
    assert decoded(data).returncode == audio_decoder.TOO_LONG


@pytest.mark.parametrize(("data", "status"), [(wav(1, 20_000), 400), (wav(8_000, 1_000), 413)])
def test_speech_server_answers_with_the_reason(data, status):
    with pytest.raises(whisper_server.UnreadableError, match=r"samples a second|longer than 900") as caught:
        whisper_server.decoded(data)
    assert caught.value.status == status
