"""The reduce step: summarize many notes, in as many steps as the model's window requires."""

from collections.abc import Sequence
from itertools import count

from chat.documents.models import Chunk

from .concurrency import run_concurrently
from .model_calls import CONCURRENCY, DocumentCalls
from .model_session import ModelSession, note_tokens
from .prompts import Digest, shortened
from .report import Note
from .sentence_ranking import evenly_spaced
from .splitting import Span

#: One of this many notes is kept beside the summary of a group.
_KEPT_SHARE = 3


async def combine(calls: DocumentCalls, notes: Sequence[Note]) -> tuple[list[Note], Digest]:
    """Return the digest, and the notes it is about: fewer than given, if those do not fit in one call.

    Each step leaves out at least one note of every group of two or more.
    """
    remaining = [_clipped(note, calls.session) for note in notes]
    for level in count(1):
        groups = grouped(remaining, calls.session)
        if len(groups) <= 1:
            break
        remaining = await _step(calls, level, groups)
    return remaining, await _digest(calls, level, 0, remaining) if remaining else Digest()


async def _step(calls: DocumentCalls, level: int, groups: Sequence[tuple[int, list[Note]]]) -> list[Note]:
    reduced: dict[int, list[Note]] = {}

    async def reduce_one(group: tuple[int, list[Note]]) -> None:
        start, notes = group
        if len(notes) == 1:
            reduced[start] = notes
        else:
            reduced[start] = fewer(notes, await _digest(calls, level, start, notes))

    await run_concurrently(groups, reduce_one, limit=CONCURRENCY)
    return [_clipped(note, calls.session) for start, _ in groups for note in reduced[start]]


def fewer(notes: Sequence[Note], digest: Digest) -> list[Note]:
    """Return the summary of some notes as one note, and the most important third of the notes."""
    numbers = (digest.keep or evenly_spaced(len(notes), len(notes)))[: len(notes) // _KEPT_SHARE]
    kept = [notes[number] for number in numbers]
    if digest.summary or not kept:
        span = Span(notes[0].span.start, notes[-1].span.end)
        kept.insert(0, Note(text=" ".join(digest.summary.split()) or notes[0].text, span=span))
    return kept


def grouped(notes: Sequence[Note], session: ModelSession) -> list[tuple[int, list[Note]]]:
    """Return groups of neighbouring notes that fit in one call, each with the number of its first note."""
    groups: list[tuple[int, list[Note]]] = []
    tokens_left = 0
    for number, note in enumerate(notes):
        tokens_left -= note_tokens(note.text)
        if tokens_left < 0 or not groups:
            groups.append((number, []))
            tokens_left = session.text_tokens - note_tokens(note.text)
        groups[-1][1].append(note)
    return groups


def _clipped(note: Note, session: ModelSession) -> Note:
    """Return the note, shortened so that four notes of its length fit in one call."""
    text = note.text
    while note_tokens(text) > session.text_tokens // 4:
        text = shortened(text, len(text) * 3 // 4)
    return Note(text=text, span=note.span)


async def _digest(calls: DocumentCalls, level: int, start: int, notes: Sequence[Note]) -> Digest:
    """Return the digest of some notes; that of an earlier run if it was for the same notes."""
    end = start + len(notes)
    chunk, _ = await Chunk.objects.aget_or_create(
        analysis=calls.analysis, level=level, start=start, defaults={"end": end}
    )
    if chunk.result is not None and chunk.end == end:
        return Digest(**chunk.result)
    chunk.end = end
    await chunk.asave(update_fields=["end"])
    session, lines = calls.session, [note.text for note in notes]
    return await calls.run(
        chunk,
        session.prompts.notes_prompt(lines, session.question, session.name),
        lambda answer: session.prompts.parse_notes(answer, lines),
        lambda _reason: Digest(),
    )
