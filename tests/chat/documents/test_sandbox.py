"""Malicious files, read in a child process as the site reads them."""

import io
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from chat.documents import reader, sandbox
from chat.documents.reader import Document
from chat.errors import Busy, InvalidInput

from . import sample_files


def read(data: bytes, name: str = "file") -> Document:
    return sandbox.read(io.BytesIO(data), name)


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert caught.value.field == "file"
    return caught.value.message


def test_child_process_returns_document_or_error_message():
    document = read(sample_files.pdf([*sample_files.PAGES, ""]), "harbour.pdf")
    assert (document.kind, document.pages, len(document.skipped)) == ("pdf", 4, 1)
    assert refusal(sample_files.locked_pdf("secret")).startswith("This PDF is locked with a password.")


def test_file_too_large_is_refused_before_reading():
    assert f"larger than {reader.MAX_BYTES // 2**20} MB" in refusal(bytes(reader.MAX_BYTES + 1))


@pytest.mark.parametrize(
    "bomb", [sample_files.pdf_bomb, sample_files.word_bomb], ids=lambda make: make.__name__
)
def test_decompression_bomb_is_refused(bomb):
    data = bomb()
    assert len(data) < 2_000_000
    assert "too large when unpacked" in refusal(data) or "memory" in refusal(data)


@pytest.mark.parametrize(
    "make",
    [
        sample_files.lying_word_bomb,
        sample_files.laughing_word,
        sample_files.nested_pdf,
        sample_files.looping_pdf,
        sample_files.pdf_of_hidden_objects,
        sample_files.pdf_of_looping_tables,
        sample_files.nested_word,
        sample_files.spreadsheet_bomb,
    ],
    ids=lambda make: make.__name__,
)
def test_malicious_file_ends_within_seconds(make):
    started = time.monotonic()
    with suppress(InvalidInput):
        assert len(read(make()).text) < 1000
    assert time.monotonic() - started < 15


def test_reading_timeout_is_refused(monkeypatch):
    monkeypatch.setattr(sandbox, "TIMEOUT", 0.01)
    assert "takes too much time or memory" in refusal(sample_files.pdf())


def test_killed_child_process_is_refused(monkeypatch):
    run = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda command, **more: run(["/bin/sh", "-c", "kill -9 $$"], **more)
    )
    assert "takes too much time or memory" in refusal(b"hello")


def test_child_process_gets_empty_environment(monkeypatch):
    seen = {}
    run = subprocess.run
    monkeypatch.setenv("SECRET_KEY", "secret")
    monkeypatch.setattr(subprocess, "run", lambda command, **more: seen.update(more) or run(command, **more))
    read(b"hello")
    assert set(seen["env"]) == {"LC_ALL"}


def test_read_slots_all_taken_is_busy(monkeypatch):
    monkeypatch.setattr(sandbox, "SLOT_TIMEOUT", 0.01)
    slots = [sandbox._read_slots.acquire(blocking=False) for _ in range(sandbox.READ_SLOTS)]
    try:
        with pytest.raises(Busy):
            read(b"hello")
    finally:
        for _ in slots:
            sandbox._read_slots.release()
    assert read(b"hello").text == "hello"


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
    ],
)
def test_child_process_reaches_no_network_and_starts_no_process(attempt):
    script = (
        "import sys\n"
        "from chat.documents.reader import __main__ as reader\n"
        "sys.addaudithook(reader._refuse)\n"
        f"try: {attempt}\n"
        "except OSError as error: print('PermissionError' in repr(error))\n"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "True\n"


@pytest.mark.parametrize(
    "part", ["word/document.xml", "word/styles.xml", "[Content_Types].xml", "_rels/.rels"]
)
@pytest.mark.parametrize("before", ["", f"<!--{'x' * 5000}-->"], ids=["", "after a comment"])
def test_word_file_with_an_external_entity_reads_no_other_file(part, before, tmp_path):
    """ASVS 1.5.1."""
    (tmp_path / "secret").write_text("zqsecret")
    data = sample_files.word_with_entity(part, f"file://{tmp_path}/secret", before)
    with suppress(InvalidInput):
        assert "zqsecret" not in read(data).text


def test_child_process_memory_is_limited():
    script = (
        "from chat.documents.reader.__main__ import MEMORY, _limit_resources\n"
        "_limit_resources()\n"
        "try: bytes(MEMORY)\n"
        "except MemoryError: print('refused')\n"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, capture_output=True, check=True, text=True).stdout == "refused\n"
