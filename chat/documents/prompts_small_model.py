"""The same as `prompts.py` for a model that can follow no form, such as the demo's: it is asked for a few
sentences, and what it says must rest on the text. What it would have to choose is chosen by the words.
"""

import re
from collections.abc import Sequence

from . import prompts
from .prompts import KEY_POINTS, NOTE, QUOTES, SUMMARY, Digest, Findings, Part, tidy
from .sentence_ranking import circles, closest, rests_on, telling

_SENTENCES, _SHORTEST = 3, 25
_END = re.compile(r"(?<=[.!?])\s+")


def instructions(question: str) -> str:
    """What holds for every call."""
    return "You read texts carefully and say in plain words what they say."


def about_part(part: Part, question: str) -> str:
    """The prompt for one part."""
    columns = f"{part.columns}\n" if part.columns and part.number > 1 else ""
    return _ask(columns + part.text, question)


def from_part(answer: str, part: Part) -> Findings:
    """What is to be made of the answer."""
    sentences = [part.said(number) for number in range(len(part.sentences))]
    said = [prompts.shortened(note, NOTE) for note in _sound(part.text, answer)[:1]]
    best = telling(sentences, 1)
    notes = [*said, *(prompts.on_one_line(sentences[number], NOTE) for number in best)]
    quotes = closest(sentences, " ".join(said), QUOTES // 2) if said else best
    return Findings(notes=list(dict.fromkeys(notes)), quotes=[part.sentences[number] for number in quotes])


def about_notes(notes: Sequence[str], question: str, name: str) -> str:
    """The prompt for many notes."""
    return _ask("\n".join(notes), question)


def from_notes(answer: str, notes: Sequence[str]) -> Digest:
    """What is to be made of the answer."""
    summary = " ".join(_sound("\n".join(notes), answer))
    return Digest(summary=tidy(summary, SUMMARY), keep=telling(notes, KEY_POINTS))


def _ask(text: str, question: str) -> str:
    if question == prompts.DEFAULT_QUESTION:
        return f"{text}\n\nSummarise this text in three short sentences."
    return f"{text}\n\nQuestion: {question}\nAnswer from the text above in two short sentences."


def _sound(text: str, answer: str) -> list[str]:
    """The answer's first whole sentences that go round in no circles and that the text bears out."""
    said = _END.split(tidy(answer, SUMMARY).replace("\n\n", " "))
    whole = [sentence for sentence in said if len(sentence) >= _SHORTEST and sentence[-1] in ".!?"]
    return [sentence for sentence in whole if not circles(sentence) and rests_on(sentence, text)][:_SENTENCES]
