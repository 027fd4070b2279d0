"""The prompts and parsers of `prompts.py` for a model that cannot follow a form, such as the demo model.

It is asked for a few sentences, which are used only if the text supports them. Quotes and key points are
chosen by word counts.
"""

import re
from collections.abc import Sequence

from . import prompts
from .prompts import (
    MAX_KEY_POINTS,
    MAX_QUOTES,
    NOTE_LENGTH,
    SUMMARY_LENGTH,
    Digest,
    Findings,
    Part,
    clean_paragraphs,
)
from .sentence_ranking import is_repetitive, is_supported, most_representative, most_similar

#: Sentences that are used of one answer, and the minimum characters of each.
_MAX_SENTENCES, _MIN_LENGTH = 3, 25
_END = re.compile(r"(?<=[.!?])\s+")


def instructions(question: str) -> str:
    """Return the instructions for every call."""
    return "You read texts carefully and say in plain words what they say."


def part_prompt(part: Part, question: str) -> str:
    """Return the prompt for one part."""
    columns = f"{part.columns}\n" if part.columns and part.number > 1 else ""
    return _prompt(columns + part.text, question)


def parse_part(answer: str, part: Part) -> Findings:
    """Return the findings in the answer to `part_prompt`, completed from the part's own sentences."""
    sentences = part.all_sentences()
    stated = [prompts.shortened(note, NOTE_LENGTH) for note in _supported(part.text, answer)[:1]]
    best = most_representative(sentences, 1)
    notes = [*stated, *(prompts.one_line(sentences[number], NOTE_LENGTH) for number in best)]
    quotes = most_similar(sentences, " ".join(stated), MAX_QUOTES // 2) if stated else best
    return Findings(notes=list(dict.fromkeys(notes)), quotes=[part.sentences[number] for number in quotes])


def notes_prompt(notes: Sequence[str], question: str, name: str) -> str:
    """Return the prompt that summarizes many notes."""
    return _prompt("\n".join(notes), question)


def parse_notes(answer: str, notes: Sequence[str]) -> Digest:
    """Return the digest in the answer to `notes_prompt`."""
    summary = " ".join(_supported("\n".join(notes), answer))
    return Digest(
        summary=clean_paragraphs(summary, SUMMARY_LENGTH), keep=most_representative(notes, MAX_KEY_POINTS)
    )


def _prompt(text: str, question: str) -> str:
    if question == prompts.DEFAULT_QUESTION:
        return f"{text}\n\nSummarise this text in three short sentences."
    return f"{text}\n\nQuestion: {question}\nAnswer from the text above in two short sentences."


def _supported(text: str, answer: str) -> list[str]:
    """Return the answer's first complete sentences that the text supports and that are not repetitive."""
    sentences = _END.split(clean_paragraphs(answer, SUMMARY_LENGTH).replace("\n\n", " "))
    complete = [s for s in sentences if len(s) >= _MIN_LENGTH and s[-1] in ".!?"]
    return [s for s in complete if not is_repetitive(s) and is_supported(s, text)][:_MAX_SENTENCES]
