"""Bringing many notes down to what they come to, in as many steps as the model's window makes necessary."""

from collections.abc import Sequence
from itertools import count

from .concurrency import each
from .model_calls import AT_ONCE, Calls
from .model_session import Asking, note_tokens
from .models import Piece
from .prompts import Digest, shortened
from .report import Line
from .sentence_ranking import spread
from .splitting import Span

#: Of the notes that are put together, the share that is handed on beside their summary.
_HANDED_ON = 3


async def combine(calls: Calls, lines: Sequence[Line]) -> tuple[list[Line], Digest]:
    """What the notes come to, and the notes that this is about: fewer, where they were too many for one call.

    Each step makes them fewer: of every group of two or more at least one is left out.
    """
    found = [_clipped(line, calls.asking) for line in lines]
    for level in count(1):
        groups = grouped(found, calls.asking)
        if len(groups) <= 1:
            break
        found = await _step(calls, level, groups)
    return found, await _digest(calls, level, 0, found) if found else Digest()


async def _step(calls: Calls, level: int, groups: Sequence[tuple[int, list[Line]]]) -> list[Line]:
    handed_on: dict[int, list[Line]] = {}

    async def digest_one(group: tuple[int, list[Line]]) -> None:
        start, lines = group
        if len(lines) == 1:
            handed_on[start] = lines
        else:
            handed_on[start] = fewer(lines, await _digest(calls, level, start, lines))

    await each(groups, digest_one, at_once=AT_ONCE)
    return [_clipped(line, calls.asking) for start, _ in groups for line in handed_on[start]]


def fewer(lines: Sequence[Line], digest: Digest) -> list[Line]:
    """The summary of some lines, and of the lines themselves the third that matters most."""
    kept = (digest.keep or spread(len(lines), len(lines)))[: len(lines) // _HANDED_ON]
    found = [lines[number] for number in kept]
    if digest.summary or not found:
        span = Span(lines[0].span.start, lines[-1].span.end)
        found.insert(0, Line(text=" ".join(digest.summary.split()) or lines[0].text, span=span))
    return found


def grouped(lines: Sequence[Line], asking: Asking) -> list[tuple[int, list[Line]]]:
    """Neighbours that the model can take in together, and the number of each group's first."""
    groups: list[tuple[int, list[Line]]] = []
    left = 0
    for number, line in enumerate(lines):
        left -= note_tokens(line.text)
        if left < 0 or not groups:
            groups.append((number, []))
            left = asking.room - note_tokens(line.text)
        groups[-1][1].append(line)
    return groups


def _clipped(line: Line, asking: Asking) -> Line:
    """Short enough for four like it to have room."""
    text = line.text
    while note_tokens(text) > asking.room // 4:
        text = shortened(text, len(text) * 3 // 4)
    return Line(text=text, span=line.span)


async def _digest(calls: Calls, level: int, start: int, lines: Sequence[Line]) -> Digest:
    end = start + len(lines)
    piece, _ = await Piece.objects.aget_or_create(
        analysis=calls.analysis, level=level, start=start, defaults={"end": end}
    )
    if piece.result is not None and piece.end == end:
        return Digest(**piece.result)
    piece.end = end
    await piece.asave(update_fields=["end"])
    asking, notes = calls.asking, [line.text for line in lines]
    return await calls.make(
        piece,
        asking.way.about_notes(notes, asking.question, asking.name),
        lambda answer: asking.way.from_notes(answer, notes),
        lambda _reason: Digest(),
    )
