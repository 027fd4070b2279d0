"""Recordings are told by what is in them: real clips, cut, padded, renamed, disguised, and plain rubbish."""

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
from chat.voice.formats import Format, recognise
from tests import speech

EXPECTED = {
    "lisbon.m4a": ("m4a", "audio/mp4"),
    "lisbon.mp3": ("mp3", "audio/mpeg"),
    "lisbon.ogg": ("ogg", "audio/ogg"),
    "lisbon.webm": ("webm", "audio/webm"),
}


def look(data: bytes) -> Format:
    return recognise(io.BytesIO(data))


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        look(data)
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


def flac() -> bytes:
    """A stream's description, a comment, and the first bytes of a frame."""
    return b"fLaC\0\0\0\x22" + b"\x10" * 34 + b"\x84\0\0\x04" + b"\0" * 4 + b"\xff\xf8\xc9\x18" + b"\7" * 40


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


@pytest.mark.parametrize("clip", speech.CLIPS, ids=lambda path: path.name)
def test_real_recordings_are_recognised(clip: Path):
    extension, media_type = EXPECTED[clip.name]
    assert look(clip.read_bytes()) == Format(extension, media_type)


def test_all_clips_are_looked_at():
    assert {clip.name for clip in speech.CLIPS} == set(EXPECTED)


def test_wav_and_flac_are_recognised():
    assert look(wav()).extension == "wav"
    assert look(flac()).extension == "flac"


def test_a_wav_written_as_it_was_recorded_says_no_length_and_is_one():
    data = bytearray(wav())
    for length in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        data[40:44] = length
        assert look(bytes(data)).extension == "wav"


def test_an_mp3_may_begin_with_a_tag():
    tag = b"ID3\4\0\0\0\0\1\0" + b"\0" * 128
    assert look(tag + (speech.ROOM / "lisbon.mp3").read_bytes()).extension == "mp3"
    assert "cut off" in refusal(tag)


def test_what_is_looked_at_is_left_at_its_beginning():
    stream = io.BytesIO(wav())
    recognise(stream)
    assert stream.tell() == 0


@pytest.mark.parametrize("name", ["lisbon.m4a", "lisbon.ogg", "lisbon.webm"])
def test_a_recording_whose_end_is_missing_is_refused(name):
    data = (speech.ROOM / name).read_bytes()
    cuts = range(0, len(data), 13)

    taken = [cut for cut in cuts if not _refused(data[:cut])]

    assert len(taken) < len(cuts) / 20, "only a cut between two pieces leaves a whole, shorter recording"


def _refused(data: bytes) -> bool:
    try:
        look(data)
    except InvalidInput:
        return True
    return False


@rules(deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_wav_whose_end_is_missing_is_refused(share):
    refusal(wav()[: int(len(wav()) * share)])


@rules(deadline=None)
@given(garbage=st.binary(max_size=2000))
def test_rubbish_is_refused_in_a_sentence_and_breaks_nothing(garbage):
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
def test_a_good_beginning_alone_is_not_enough_and_breaks_nothing(head, garbage):
    with suppress(InvalidInput):
        look(head + garbage)


@pytest.mark.parametrize("name", ["lisbon.m4a", "lisbon.ogg", "lisbon.webm", "lisbon.mp3"])
@rules(deadline=None, max_examples=60)
@given(where=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_wrong_byte_anywhere_breaks_nothing(name, where, byte):
    data = bytearray((speech.ROOM / name).read_bytes())
    data[int(len(data) * where)] = byte
    with suppress(InvalidInput):
        assert look(bytes(data)).extension == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("data", "words"),
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
def test_what_is_none_is_told_why(data, words):
    assert words in refusal(data)


def test_a_film_in_webm_without_sound_is_told_so():
    data = speech.WEBM.read_bytes().replace(b"A_OPUS", b"V_OPUS")
    assert "no sound" in refusal(data)


def test_a_file_made_of_ten_million_pieces_costs_a_moment_and_is_refused():
    pieces = b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm" + b"\x18\x53\x80\x67\xff" + b"\xec\x80" * 3_000_000
    assert "damaged" in refusal(pieces)
