"""No input stops the loop: the work for each public input grows linearly (S11, S12, O19).

A new field of a frame, an operation or a form, and a new kind of file, has no work here yet: add it to
`WORK`, with the functions of `work.py` that do with it what the site does.
"""

import pytest

from . import work
from .hostile import TEXTS
from .meter import growth, seconds
from .public_inputs import all_inputs
from .work import ANSWER, DOCUMENT, FRAME, MESSAGE, Work

_ASK = {work.question: MESSAGE, work.long_message: FRAME, work.document: FRAME}
_QUESTION = {work.question: MESSAGE}
_NAME = {work.name: FRAME}
#: Fields that are looked up in a short list and otherwise refused.
_CHOICE = {work.raw_frame: FRAME}
_PASSWORDS = ("password", "password1", "password2", "oldpassword", "old_password")
_PASSWORDS += ("new_password1", "new_password2")
_PASSWORD = {work.password: FRAME}
#: Characters of an address that the server takes.
_HEAD = 8_000
_AUDIO = {
    "flac": b"fLaC\0\0\0\x22" + b"\x10" * 34,
    "ogg": b"OggS",
    "wav": b"RIFF\0\0\0\0WAVE",
    "webm": b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\xff",
    "m4a": b"\0\0\0\x18ftyp",
    "mp3": b"ID3\4\0\0\0\0\1\0",
}

#: The work for each input, with the length up to which the input may grow.
WORK: dict[str, dict[Work, int]] = {
    "frame chat:message: companion": _CHOICE,
    "frame chat:message: messages": {work.frame: FRAME} | _ASK,
    "frame audio:process: companion": _CHOICE,
    "frame analysis:large: companion": _CHOICE,
    "frame analysis:large: question": _QUESTION,
    "frame analysis:large: text": {work.document: DOCUMENT},
    "frame message:edit: content": {work.frame: FRAME, work.question: MESSAGE},
    **{
        f"post /api/{companion}: {field}": _ASK if field.startswith("message") else _CHOICE
        for companion in ("corporate", "travel", "emotional", "culture")
        for field in ("message", "messages", "assistantId")
    },
    "post /api/connection: messages": {work.frame: FRAME, work.raw_frame: FRAME},
    "get /api/threads: q": {work.query: MESSAGE, work.found_text: MESSAGE},
    "get /api/threads: before": {work.place_in_list: FRAME},
    "patch /api/threads/{thread_id}: title": {work.title: FRAME},
    "patch /api/messages/{message_id}: content": _QUESTION,
    "post /api/audio: companion": _CHOICE,
    "post /api/audio: file": {work.recording(head): DOCUMENT for head in _AUDIO.values()},
    "post /api/audio/uploads: file": {work.recording(head): DOCUMENT for head in _AUDIO.values()},
    "post /api/analytics/track: name": {work.analytics: FRAME},
    "post /api/analytics/track: companion": _CHOICE,
    "post /api/analytics/track: properties": {work.properties: FRAME},
    "post /api/analytics/track: events": {work.properties: FRAME},
    "put /api/messages/{message_id}/feedback: comment": {work.raw_frame: FRAME},
    "get /api/care: country": {work.country: FRAME},
    "get /api/care: language": _CHOICE,
    "post /api/analysis: companion": _CHOICE,
    "post /api/analysis: question": _QUESTION,
    "post /api/analysis: text": {work.document: DOCUMENT},
    "post /api/analysis: file": {work.text_file: DOCUMENT},
    "post /api/analysis/uploads: file": {work.text_file: DOCUMENT},
    "form field code": {work.form_field: FRAME},
    "form field credential": {work.passkey: FRAME},
    "form field email": {work.form_field: FRAME},
    "form field username": {work.form_field: FRAME},
    **dict.fromkeys(
        [f"form field {name}" for name in _PASSWORDS],
        _PASSWORD,
    ),
    "form field args": {work.json_field: MESSAGE},
    "form field note": {work.form_field: FRAME},
    "form field key": {work.form_field: FRAME},
    "form field uidb36": {work.form_field: FRAME},
    "admin search": {work.admin_search: _HEAD},
    "admin django_q.schedule: args": {work.schedule: MESSAGE},
    "admin django_q.schedule: kwargs": {work.schedule: MESSAGE},
    "admin queueing.recurringjob: args": {work.json_field: MESSAGE},
    "admin queueing.recurringjob: refusal": {work.form_field: FRAME},  # it and the next are only shown
    "admin queueing.recurringjob: last_job": {work.form_field: FRAME},
    "file txt": {work.text_file: DOCUMENT},
    "file md": {work.text_file: DOCUMENT, work.document: DOCUMENT},
    "file csv": {work.text_file: DOCUMENT, work.document: DOCUMENT},
    "file docx": {work.word_file: DOCUMENT},
    "file pdf": {work.pdf_file: DOCUMENT},
    **{f"file {extension}": {work.recording(head): DOCUMENT} for extension, head in _AUDIO.items()},
}
#: What comes from elsewhere than clients: providers, headers, and the texts that they become.
OTHER: dict[str, dict[Work, int]] = {
    "provider's answer": {work.streamed: ANSWER, work.answer: ANSWER, work.title: ANSWER},
    "provider's notes of a document": {work.findings: ANSWER, work.typed_quote: ANSWER},
    "provider's stream": {work.raw_stream: DOCUMENT},
    "provider's error": {work.error: FRAME},
    "provider's transcript": _QUESTION,
    "header Accept-Language": {work.country: FRAME},
    "name of a file": _NAME,
    "stored message in a search": {work.found_text: DOCUMENT},
    "frame of any text": {work.raw_frame: FRAME},
}


def test_public_inputs_all_have_work_here():
    """A new input fails here until its work is measured."""
    missing, gone = all_inputs() - WORK.keys(), WORK.keys() - all_inputs()
    assert not missing, f"add to WORK what is done with: {sorted(missing)}"
    assert not gone, f"no longer inputs: {sorted(gone)}"


_ALL = {done: limit for table in (*WORK.values(), *OTHER.values()) for done, limit in table.items()}
#: Characters of the short texts, and seconds of processor time that no work needs for them.
_BRIEF, _MOST = 1_000, 0.3


def test_short_hostile_texts_need_little_work():
    """What grows exponentially, or with a high power, shows here already."""
    slow = {
        (done.__name__, text): spent
        for done in _ALL
        for text, make in TEXTS.items()
        if (spent := seconds(done, make(_BRIEF))) > _MOST
    }
    assert not slow


@pytest.mark.parametrize(
    ("done", "text"),
    [
        (work.question, repr("1")),  # S12
        (work.question, repr("\u0315\u0300")),
        (work.question, repr("dont kill myself ")),
        (work.document, repr("# a\n```\n```\n")),  # S11
        (work.answer, "links of one long definition"),
        (work.answer, "begins of formulas and one end"),
        (work.answer, "a table of empty rows"),
        (work.answer, "tags of thoughts in code"),
        (work.streamed, repr(" ")),
        (work.raw_stream, repr("a")),
        (work.findings, repr("„")),
    ],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_work_that_once_was_quadratic_grows_linearly(done, text):
    assert not growth(done, TEXTS[text], min(_ALL[done], 40_000))


def test_quadratic_work_is_found_and_linear_work_is_not():
    def quadratic(text: str) -> int:
        return sum(1 for one in text for other in text if one != other)

    def linear(text: str) -> int:
        return sum(ord(letter) for letter in text)

    assert "times the work" in growth(quadratic, TEXTS[repr("a")], 3_000)
    assert not growth(linear, TEXTS[repr("a")], 2_000_000)


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_work_grows_no_more_than_linearly(text):
    wrong = {
        done.__name__: found for done, limit in _ALL.items() if (found := growth(done, TEXTS[text], limit))
    }
    assert not wrong
