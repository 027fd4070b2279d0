"""The work that our code does with each public input: the parsers, screens and renderers, without waiting.

Each function takes the input and does with it what the site or a worker does.
"""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from fido2.utils import websafe_decode
from fido2.webauthn import AttestationObject

from chat import intake
from chat.accounts.pages import passkeys
from chat.care import help_lines, screening
from chat.conversations.searching import search
from chat.conversations.searching.folding import fold
from chat.conversations.searching.search_terms import terms_of
from chat.conversations.services import check_text
from chat.conversations.thread_list import Mark
from chat.documents import services as documents
from chat.documents.analysis import prompts, prompts_small_model, report
from chat.documents.analysis.prompts import Part
from chat.documents.analysis.report import PartResult
from chat.documents.analysis.splitting import DocumentLocations, Span, sentences, split
from chat.documents.models import Analysis
from chat.documents.reader import kinds
from chat.documents.reader import text as plain_text
from chat.errors import InvalidInput
from chat.markdown.render import render
from chat.prompting.token_budget import PromptMessage, estimate_tokens, fit
from chat.protocol import client_messages
from chat.replies.titles import clean_title, title_from
from chat.socket.live_rendering import rendered_from
from chat.uploads.storage import _display_name
from chat.upstream import without_thoughts
from chat.upstream.draft import Draft
from chat.upstream.errors import _redacted
from chat.upstream.parse import read_chunk
from chat.upstream.sse_parser import SSEParser
from chat.upstream.stream_errors import as_error
from chat.voice import formats
from queueing.admin import djangoq
from queueing.values.cleaning import as_json, clean_text
from tests.support.authenticator import encoded

#: Characters of a document, of a message, of a frame, and of a long answer.
DOCUMENT, MESSAGE, FRAME, ANSWER = 100_000, 20_000, 64_000, 16_000
#: Bytes of a piece of a stream.
_PIECE = 64

Work = Callable[[str], object]


def frame(text: str) -> object:
    """Read a frame with this text."""
    return client_messages.parse(json.dumps({"type": "message:edit", "messageId": "0" * 32, "content": text}))


def raw_frame(text: str) -> object:
    """Read a frame that is this text."""
    return client_messages.parse(text)


def question(text: str) -> object:
    """Screen a question, check it, name its thread after it, and fit it into a prompt."""
    screening._Memory().concern_of(screening._ends(text))
    check_text(text)
    return title_from(text), fit([PromptMessage("user", text)], 100_000)


def long_message(text: str) -> object:
    """Find the question in a message that is too long for the chat."""
    return intake.split_question(text)


def document(text: str) -> object:
    """Read a text, cut it into parts, and quote from it."""
    for name in ("a.md", "a.csv"):
        plain_text.read(text, name)
    return _analysed(text, "md"), _analysed(text, "csv")


def _analysed(text: str, kind: str) -> str:
    locations = DocumentLocations(text, kind)

    def fits(part: str) -> bool:
        return estimate_tokens(part) + 7 * sum(1 for _ in sentences(part, by_line=kind == "csv")) <= 5_000

    results = []
    for span in split(text, fits, max_tokens=5_000, headings=kind == "md"):
        part = _part(text[slice(*span)])
        prompts.part_prompt(part, "Why?")
        findings = prompts.parse_part("NOTES:\n- nothing here\nQUOTES: 1, 2", part)
        results.append(PartResult(span=Span(*span), findings=findings))
    analysis = Analysis(name="a", kind=kind, size=1, text=text, skipped=[])
    return report.build_report(analysis, results, results[0].notes, prompts.Digest(), locations)


def _part(text: str) -> Part:
    found = list(sentences(text, by_line=False))
    return Part(text=text, sentences=found, number=1, total=1, name="a", location="")


def findings(text: str) -> object:
    """Read the notes of a part, and the digest of notes, from what a model says."""
    part = _part("The ship came in. It was late.")
    return [
        found
        for module in (prompts, prompts_small_model)
        for found in (module.parse_part(text, part), module.parse_notes(text, ["a", "b"]))
    ]


def typed_quote(text: str) -> object:
    """Find a quote that the model has typed."""
    return prompts.typed_quotes(f'"{text[: len(text) // 2]}"', text)


def answer(text: str) -> object:
    """Show an answer, finished and unfinished."""
    render.cache_clear()
    return render(without_thoughts(text)), rendered_from(text, 0), clean_text(text), as_json({"a": text})


def title(text: str) -> object:
    """Find the title in what a model says, and shorten it."""
    return clean_title(text), title_from(text)


def _stream(pieces: list[str]) -> Draft:
    draft, parser = Draft(model="a"), SSEParser()
    for piece in pieces:
        event = {"choices": [{"delta": {"content": piece}}]}
        for chunk in parser.feed(b"data: " + json.dumps(event).encode() + b"\n\n"):
            read_chunk(draft, chunk)
    for chunk in parser.finish():
        read_chunk(draft, chunk)
    return draft


def streamed(text: str) -> object:
    """Read an answer that comes in small pieces."""
    draft = _stream([text[at : at + 16] for at in range(0, len(text), 16)])
    return draft._whole_text()


def raw_stream(text: str) -> object:
    """Read a body of a provider that is no event, in small pieces, and one event without end."""
    for body in (text.encode(errors="replace"), b'data: {"a":"' + text.encode(errors="replace")):
        parser = SSEParser()
        for at in range(0, len(body), _PIECE):
            list(parser.feed(body[at : at + _PIECE]))
        with suppress(ValueError, RecursionError):
            list(parser.finish())
    return None


def error(text: str) -> object:
    """Read an error of a provider."""
    return as_error({"message": text}), as_error(text), _redacted(text)


def found_text(text: str) -> object:
    """Show where a search has found a word."""
    return search.snippet(text, "zz"), search.snippet(text, text[:100])


def query(text: str) -> object:
    """Read what is searched, of any length."""
    return terms_of(text), fold(text)


def place_in_list(text: str) -> object:
    """Read the place where a list goes on."""
    with suppress(InvalidInput):
        return Mark.read(text, "s:1")
    return None


def name(text: str) -> object:
    """Show the name of a file."""
    return documents.display_name(text), _display_name(text), report.escape_markdown(text)


def country(text: str) -> object:
    """Find the country of a visitor."""
    return help_lines.country_of(text), help_lines.country_of("en", text)


def text_file(text: str) -> object:
    """Read a file of text, also in an old encoding."""
    for data in (
        text.encode(errors="replace"),
        text.encode("utf-16", "replace"),
        b"\xe9" + text.encode("cp1252", "replace"),
    ):
        with suppress(kinds.Unreadable):
            kinds.read(data, "a.csv")
    return None


def word_file(text: str) -> object:
    """Read a Word file with this text, and with this as its structure."""
    for inside in (text.replace("<", "&lt;").replace("&", "&amp;"), text):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as file:
            file.writestr("word/document.xml", f"<w><a>{inside}</a></w>")
        with suppress(kinds.Unreadable):
            kinds.read(data.getvalue(), "a.docx")
    return None


def pdf_file(text: str) -> object:
    """Read a file that begins as a PDF and goes on as this text."""
    return kinds.read(b"%PDF-1.7\n" + text.encode(errors="replace"), "a.pdf")


def recording(head: bytes) -> Work:
    """Return the check of a recording that begins as a format and goes on as this text."""
    return lambda text: formats.detect(io.BytesIO(head + text.encode(errors="replace")))


def form_field(text: str) -> object:
    """Read a short field of a form."""
    for field in (forms.CharField(), forms.EmailField()):
        with suppress(ValidationError):
            field.clean(text)
    return None


def json_field(text: str) -> object:
    """Read a field of a form that takes JSON: the text itself, and nested lists."""
    for value in (text, "[" * len(text), json.dumps([text])):
        with suppress(ValidationError):
            forms.JSONField().clean(value)
    return None


def passkey(text: str) -> object:
    """Read the answer of a passkey: the text as its attestation, a list of as many numbers, and the whole."""
    field, data = passkeys._AnswerField(), text.encode(errors="replace")
    numbers = b"\x9a" + len(data).to_bytes(4) + bytes(len(data))
    for attestation in (data, numbers):
        parts = {"clientDataJSON": encoded(b"{}"), "attestationObject": encoded(attestation)}
        with suppress(*passkeys._MALFORMED, ValidationError):
            answer = field.clean(json.dumps({"rawId": "", "response": parts}))
            AttestationObject(websafe_decode(answer["response"]["attestationObject"]))
    return field.clean(text)


def password(text: str) -> object:
    """Check a new password."""
    from django.contrib.auth.password_validation import validate_password

    return validate_password(text)


def analytics(text: str) -> object:
    """Check an event of a client."""
    from chat.analytics.tracking.event_names import check_client_name

    return check_client_name(text)


def properties(text: str) -> Any:
    """Check the properties of an event of a client."""
    from chat.analytics.api import TrackIn

    return TrackIn.model_validate({"name": "x:a", "properties": dict.fromkeys(text.split("a"), text[:1])})


def admin_search(text: str) -> object:
    """Make the query of a search in the admin."""
    users = User.objects.all()
    found, _ = admin.site._registry[User].get_search_results(None, users, text)  # type: ignore[arg-type]
    return str(found.query)


def schedule(text: str) -> object:
    """Read the arguments of a schedule in the admin."""
    return djangoq._literal(text), djangoq._keywords(text)
