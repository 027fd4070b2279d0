"""Sentences of this package that users read. Those about unreadable files are in `reader/texts.py`."""

from django.conf import settings

#: Asked when the user sends a document without a question.
DEFAULT_QUESTION = "What matters in this document?"
#: Names of documents that come without one.
PASTED_TEXT = "Pasted text"
UNNAMED = "document"

INVALID_JSON = "The body is not valid JSON."
SEND_ONE = "Send one document: a file, a text, or the id of an upload."
UPLOAD_GONE = "This upload does not exist or has expired. Please send it again."
DOCUMENT_GONE = "This document is no longer stored. Please attach it again."
READERS_BUSY = "Too many documents are being read at the moment."
TOO_EXPENSIVE = "This file takes too much time or memory to read."
SMALL_WINDOW = "The model's context is too small to read documents. Please contact the operator of this site."

#: Labels of the job's progress.
READING = "Reading"
COMBINING = "Combining the notes"

#: Why the model has skipped a part, by error code; shown as "Skipped: part 3 (page 4): …".
SKIP_REASONS = {
    "refused": "the model declined to read it",
    "content_filter": "the content filter blocked it",
    "too_long": "it is too long for the model",
    "no_room": "the model reached its length limit",
}

SUMMARY = "Summary"
KEY_POINTS = "Key points"
QUOTES = "Quotes"
OPEN_QUESTIONS = "Open questions"
COVERAGE = "What was read"
NO_ANSWER = "Nothing in this document answers the question."
#: After a quote whose end is left out.
OMITTED = " […]"
NO_NOTES = "Nothing in this part is about the question."
DEMO_REMARK = "Read by the demo model: rely on the quotes"
KIND_NAMES = {"pdf": "PDF", "docx": "Word", "csv": "table (CSV)", "md": "Markdown", "txt": "text"}


def file_too_large(max_bytes: int) -> str:
    """Return the sentence for a file of more than `max_bytes`."""
    return f"This file is larger than {max_bytes // 2**20} MB."


def too_many_calls(calls: int) -> str:
    """Return the sentence for a document that would take this number of model calls."""
    maximum = settings.DOCUMENT_MAX_CALLS
    return f"This document would take about {calls:,} calls of the model; the maximum is {maximum:,}."


def question_too_long(length: int, limit: int) -> str:
    """Return the sentence for a question of `length` characters."""
    return f"This question has {length:,} characters; the maximum is {limit:,}."


def no_part_read(reason: str) -> str:
    """Return the sentence for a document of which every part was skipped."""
    return f"No part of this document could be read: {reason}."


def part_heading(number: int, total: int, location: str) -> str:
    """Return the line above the notes of one part."""
    return f"Part {number} of {total}" + (f", {location}" if location else "")


def part_name(number: int) -> str:
    """Return how the report names a part."""
    return f"part {number}"


def skipped(what: str) -> str:
    """Return the line for a part of the document that was not read."""
    return f"Skipped: {what}"


def coverage(document: str, characters: int, parts: int) -> str:
    """Return the line that says how much was read; `document` is the document's description."""
    return f"{document}, {characters:,} characters, in {plural(parts, 'part')}"


def plural(number: int, noun: str) -> str:
    """Return `1 page` or `2 pages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def report_filename(stem: str) -> str:
    """Return the file name of a report."""
    return f"Report on {stem or UNNAMED}.md"
