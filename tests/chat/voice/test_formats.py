"""Detection of audio formats: real clips, truncated, changed and disguised files, and random bytes."""

import io
import struct
import wave
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as st

from chat.errors import InvalidInput
from chat.voice.formats import Format, detect
from tests import speech

EXPECTED = {
    "lisbon.m4a": ("m4a", "audio/mp4"),
    "lisbon.mp3": ("mp3", "audio/mpeg"),
    "lisbon.ogg": ("ogg", "audio/ogg"),
    "lisbon.webm": ("webm", "audio/webm"),
}


def detected(data: bytes) -> Format:
    return detect(io.BytesIO(data))


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        detected(data)
    assert caught.value.field == "file"
    assert caught.value.message.endswith(".")
    return caught.value.message


def wav(seconds: float = 0.1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * int(8000 * seconds))
    return out.getvalue()


def wav_of(
    *, rate: int = 16_000, channels: int = 1, frame: int = 2, bits: int = 16, size: int = 20_000
) -> bytes:
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, channels, rate,
                       rate * frame % 2**32, frame, bits, b"data", size)  # fmt: skip
    return head + bytes(size)


def flac_of(*, rate: int = 16_000, samples: int = 16_000) -> bytes:
    about = struct.pack(">Q", rate << 44 | 15 << 36 | samples)
    return flac()[:18] + about + flac()[26:]


def flac() -> bytes:
    """Return a stream's description, a comment, and the first bytes of a frame."""
    return b"fLaC\0\0\0\x22" + b"\x10" * 34 + b"\x84\0\0\x04" + b"\0" * 4 + b"\xff\xf8\xc9\x18" + b"\7" * 40


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


@pytest.mark.parametrize("clip", speech.CLIPS, ids=lambda path: path.name)
def test_real_recording_format_is_detected(clip: Path):
    extension, media_type = EXPECTED[clip.name]
    assert detected(clip.read_bytes()) == Format(extension, media_type)


def test_all_clips_have_expected_format():
    assert {clip.name for clip in speech.CLIPS} == set(EXPECTED)


def test_wav_and_flac_are_detected():
    assert detected(wav()).extension == "wav"
    assert detected(flac()).extension == "flac"


def test_wav_without_length_is_detected():
    data = bytearray(wav())
    for length in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        data[40:44] = length
        assert detected(bytes(data)).extension == "wav"


def test_mp3_with_tag_is_detected():
    tag = b"ID3\4\0\0\0\0\1\0" + b"\0" * 128
    assert detected(tag + (speech.ROOM / "lisbon.mp3").read_bytes()).extension == "mp3"
    assert "cut off" in refusal(tag)


def test_stream_is_left_at_its_beginning():
    stream = io.BytesIO(wav())
    detect(stream)
    assert stream.tell() == 0


@pytest.mark.parametrize("name", ["lisbon.m4a", "lisbon.ogg", "lisbon.webm"])
def test_truncated_recording_is_refused(name):
    data = (speech.ROOM / name).read_bytes()
    cuts = range(0, len(data), 13)

    accepted = [cut for cut in cuts if not _refused(data[:cut])]

    assert len(accepted) < len(cuts) / 20, (
        "only a cut between two pages or clusters leaves a valid, shorter recording"
    )


def _refused(data: bytes) -> bool:
    try:
        detected(data)
    except InvalidInput:
        return True
    return False


@rules(deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncated_wav_is_refused(share):
    refusal(wav()[: int(len(wav()) * share)])


@rules(deadline=None)
@given(garbage=st.binary(max_size=2000))
def test_random_bytes_are_refused_with_message(garbage):
    refusal(garbage)


@pytest.mark.parametrize(
    "head",
    [
        b"fLaC",
        b"OggS",
        b"RIFF\0\0\0\0WAVE",
        b"\x1a\x45\xdf\xa3",
        b"\0\0\0\x18ftyp",
        b"ID3\4\0\0",
        b"\xff\xfb\x90",
    ],
)
@rules(deadline=None)
@given(garbage=st.binary(max_size=2000))
def test_valid_header_with_random_bytes_raises_only_invalid_input(head, garbage):
    with suppress(InvalidInput):
        detected(head + garbage)


@pytest.mark.parametrize("name", ["lisbon.m4a", "lisbon.ogg", "lisbon.webm", "lisbon.mp3"])
@rules(deadline=None, max_examples=60)
@given(where=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_changed_byte_raises_only_invalid_input(name, where, byte):
    data = bytearray((speech.ROOM / name).read_bytes())
    data[int(len(data) * where)] = byte
    with suppress(InvalidInput):
        assert detected(bytes(data)).extension == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 and so on", "not audio"),
        (b"<html>voice.wav</html>", "not audio"),
        (b"RIFF\x24\0\0\0AVI LIST", "not audio"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "not audio"),
        (b"MZ" + b"\0" * 100, "not audio"),
        (box(b"ftyp", b"avif\0\0\0\0") + box(b"meta", b"\0" * 20) + box(b"mdat", b"x"), "no sound"),
        (box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", b"...vide...") + box(b"mdat", b"x"), "no sound"),
        (box(b"ftyp", b"isom\0\0\0\0") + box(b"mdat", b"x" * 100), "cut off"),
        (box(b"ftyp", b"isom\0\0\0\0") + box(b"moov", b"...soun..."), "cut off"),
        (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + b"\0" * 20, "not webm"),
        (
            b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm" + b"\x18\x53\x80\x67\xff" + b"\x16\x54\xae\x6b\x84V_VP",
            "cut off",
        ),
        (wav(0), "no sound"),
        ((speech.ROOM / "lisbon.mp3").read_bytes()[:200], "cut off"),
        (b"fLaC\0\0\0\x22" + b"\x10" * 34 + b"\x84\0\0\x04" + b"\0" * 4, "cut off"),
    ],
)
def test_refused_file_gets_reason(data, expected):
    assert expected in refusal(data)


def test_webm_without_sound_track_is_refused():
    data = speech.WEBM.read_bytes().replace(b"A_OPUS", b"V_OPUS")
    assert "no sound" in refusal(data)


def test_file_with_millions_of_elements_is_refused_quickly():
    elements = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm" + b"\x18\x53\x80\x67\xff" + b"\xec\x80" * 3_000_000
    assert "damaged" in refusal(elements)


def changed(name: str, old: bytes, new: bytes) -> bytes:
    data = (speech.ROOM / name).read_bytes()
    assert old in data
    return data.replace(old, new, 1)


def _long_ogg() -> bytes:
    """Return a recording whose second page says that it ends after ten days."""
    data = bytearray((speech.ROOM / "lisbon.ogg").read_bytes())
    page = data.rindex(b"OggS")
    data[page + 6 : page + 14] = (10 * 86_400 * 48_000).to_bytes(8, "little")
    return bytes(data)


def _long_m4a() -> bytes:
    data = bytearray((speech.ROOM / "lisbon.m4a").read_bytes())
    at = data.index(b"mvhd") + 4 + 12
    data[at : at + 8] = struct.pack(">II", 1, 10 * 86_400)
    return bytes(data)


def _long_mp3() -> bytes:
    """Return frames of 24 bytes, each of 24 ms: eight kilobits a second."""
    return (b"\xff\xf3\x14\xc4" + bytes(20)) * 400_000


def _long_webm() -> bytes:
    data = (speech.ROOM / "lisbon.webm").read_bytes()
    at = data.index(b"\x1f\x43\xb6\x75")
    cluster = b"\x1f\x43\xb6\x75" + b"\x8a" + b"\xe7\x88" + (10 * 86_400_000).to_bytes(8, "big")
    return data[:at] + cluster + data[at:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (wav_of(rate=1), "impossible"),
        (wav_of(rate=0), "impossible"),
        (wav_of(rate=2**32 - 1), "impossible"),
        (wav_of(channels=0), "impossible"),
        (wav_of(channels=65_535), "impossible"),
        (wav_of(rate=4_000, frame=1, bits=8, size=30_000_000), "too long"),
        (wav_of(rate=4_000, frame=4096, bits=8, size=30_000_000), "too long"),
        (wav_of(frame=0, bits=0), "damaged"),
        (flac_of(rate=1), "impossible"),
        (flac_of(samples=2**36 - 1), "too long"),
        (_long_ogg(), "too long"),
        (_long_m4a(), "too long"),
        (_long_mp3(), "too long"),
        (_long_webm(), "too long"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_sound_that_no_decoder_should_get_is_refused(data, expected):
    """O19: a WAV of 20 kB with one sample a second needed 9 GB in the demo speech server."""
    assert expected in refusal(data)


def test_usual_rates_are_accepted():
    assert (
        detected(wav_of(rate=8_000)).extension
        == detected(wav_of(rate=192_000, channels=2, frame=4)).extension
    )
    assert detected(flac_of()).extension == "flac"
