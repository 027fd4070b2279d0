"""O17: what people write is shown, never interpreted: in files, their names and the output of `make run`."""

import csv
import io
from urllib.parse import unquote

import pytest
from django.utils import timezone

from chat.accounts.access.sessions.store import stored_key
from chat.analytics.staff_page.export import escape_formula
from chat.conversations.transcript import transcript
from chat.documents.selectors import _filename
from chat.models import Thread
from chat.uploads import storage
from deploy.local.console import Console
from tests.queueing.test_shown_text import HOSTILE

NAMES = [
    *HOSTILE,
    '"; filename="evil.exe',
    "../../etc/passwd",
    "a\r\nSet-Cookie: x=1",
    "C:\\evil.bat",
    "",
    ".",
]
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "＝1",
    "＠x",
    "\ufeff=1",
]


@pytest.mark.parametrize("cell", FORMULAS, ids=ascii)
def test_cell_of_a_csv_file_is_no_formula(cell: str):
    out = io.StringIO(newline="")
    csv.writer(out).writerow([escape_formula(cell)])
    ((read,),) = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert read == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "travel", "2026-01-01", "{}", "a=b"])
def test_plain_cell_of_a_csv_file_is_not_changed(cell: str):
    assert escape_formula(cell) == cell


def assert_harmless_name(name: str) -> None:
    assert name.isprintable()
    assert name.strip(" .")
    assert not set(name) & set('/\\:"')


@pytest.mark.django_db
@pytest.mark.parametrize("text", NAMES, ids=ascii)
def test_name_of_a_download_is_one_printable_name(text: str):
    stored = text.replace("\x00", "").replace("\ud800", "")[:120]
    thread = Thread.objects.create(owner="s:a", companion="travel", title=stored, updated_at=timezone.now())
    assert_harmless_name(transcript(owner="s:a", thread_id=thread.id).filename)
    assert_harmless_name(_filename(storage._display_name(stored)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("valkey")
@pytest.mark.parametrize("text", NAMES, ids=ascii)
def test_header_of_a_download_has_one_file_name(text: str, client):
    client.get("/")
    stored = text.replace("\x00", "").replace("\ud800", "")[:120]
    owner = "s:" + stored_key(client.session.session_key)
    thread = Thread.objects.create(owner=owner, companion="travel", title=stored, updated_at=timezone.now())
    header = client.get(f"/api/threads/{thread.id.hex}/transcript.md")["Content-Disposition"]
    assert header.startswith("attachment; filename")
    assert header.count("filename=") + header.count("filename*=") == 1
    assert unquote(header).isprintable()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_output_of_a_service_is_one_inert_line_of_make_run(text: str):
    out = io.StringIO()
    Console(out).line("web", text)
    assert out.getvalue().removesuffix("\n").isprintable()
