"""Files that are made to do harm, read as the site reads them: in a process of its own."""

import io
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from chat.documents import reader, sandbox
from chat.documents.reader import Document
from chat.errors import Busy, InvalidInput

from . import making


def read(data: bytes, name: str = "file") -> Document:
    return sandbox.read(io.BytesIO(data), name)


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert caught.value.field == "file"
    return caught.value.message


def test_a_file_comes_back_as_it_was_read_and_a_refusal_as_a_sentence():
    document = read(making.pdf([*making.PAGES, ""]), "harbour.pdf")
    assert (document.kind, document.pages, len(document.skipped)) == ("pdf", 4, 1)
    assert refusal(making.locked_pdf("secret")).startswith("This PDF is locked with a password.")


def test_what_is_too_large_is_not_even_looked_at():
    assert f"larger than {reader.MAX_BYTES // 2**20} MB" in refusal(bytes(reader.MAX_BYTES + 1))


@pytest.mark.parametrize("bomb", [making.pdf_bomb, making.word_bomb], ids=lambda make: make.__name__)
def test_what_unpacks_to_far_too_much_is_refused(bomb):
    data = bomb()
    assert len(data) < 2_000_000
    assert "larger unpacked" in refusal(data) or "memory" in refusal(data)


@pytest.mark.parametrize(
    "make",
    [making.lying_word_bomb, making.laughing_word, making.nested_pdf, making.looping_pdf],
    ids=lambda make: make.__name__,
)
def test_what_is_made_to_hang_a_reader_is_over_in_seconds(make):
    began = time.monotonic()
    with suppress(InvalidInput):
        assert len(read(make()).text) < 1000
    assert time.monotonic() - began < 15


def test_a_file_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(sandbox, "TIMEOUT", 0.01)
    assert "takes longer or more memory" in refusal(making.pdf())


def test_a_reader_that_dies_takes_only_itself(monkeypatch):
    run = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda command, **more: run(["/bin/sh", "-c", "kill -9 $$"], **more)
    )
    assert "takes longer or more memory" in refusal(b"hello")


def test_the_reader_knows_nothing_of_our_environment(monkeypatch):
    seen = {}
    run = subprocess.run
    monkeypatch.setenv("SECRET_KEY", "of ours")
    monkeypatch.setattr(subprocess, "run", lambda command, **more: seen.update(more) or run(command, **more))
    read(b"hello")
    assert set(seen["env"]) == {"LC_ALL"}


def test_only_so_many_files_are_read_at_once(monkeypatch):
    monkeypatch.setattr(sandbox, "TURN", 0.01)
    turns = [sandbox._turns.acquire(blocking=False) for _ in range(sandbox.AT_ONCE)]
    try:
        with pytest.raises(Busy):
            read(b"hello")
    finally:
        for _ in turns:
            sandbox._turns.release()
    assert read(b"hello").text == "hello"


def test_the_reader_has_limits_to_what_it_takes():
    greedy = (
        "from chat.documents.reader.__main__ import MEMORY, _limit_ourselves\n"
        "_limit_ourselves()\n"
        "try: bytes(MEMORY)\n"
        "except MemoryError: print('refused')\n"
    )
    command = [sys.executable, "-c", greedy]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "refused\n"
