"""Reading a document part by part."""

import asyncio
from dataclasses import dataclass

from . import report
from .concurrency import each
from .model_calls import AT_ONCE, Calls
from .models import Analysis, Piece
from .prompts import Findings, Part
from .report import Read
from .splitting import Places, Span, sentences


async def read_parts(calls: Calls) -> list[Read]:
    """Read all parts that no earlier run has read. The notes are streamed in the document's order."""
    pieces = await _pieces(calls)
    places = await asyncio.to_thread(Places, calls.analysis.text, calls.analysis.kind)
    telling = _Telling(calls, pieces, places)

    async def read_one(number: int) -> None:
        piece = pieces[number]
        part = _part(calls, piece, number, len(pieces), places.of(_span(piece)))
        await calls.make(
            piece,
            calls.asking.way.about_part(part, calls.asking.question),
            lambda answer: calls.asking.way.from_part(answer, part),
            lambda reason: Findings(skipped=reason),
        )
        telling.go_on()

    telling.go_on()
    left = [number for number, piece in enumerate(pieces) if piece.result is None]
    await each(left, read_one, at_once=AT_ONCE)
    return [_read(piece) for piece in pieces]


@dataclass
class _Telling:
    """What watchers have been told of the parts."""

    calls: Calls
    pieces: list[Piece]
    places: Places
    told: int = 0

    def go_on(self) -> None:
        """Tell of the parts that are read, up to the first that is not."""
        ctx, total = self.calls.ctx, len(self.pieces)
        while self.told < total and self.pieces[self.told].result is not None:
            piece = self.pieces[self.told]
            self.told += 1
            ctx.delta(report.part(_read(piece), self.told, total, self.places.of(_span(piece))))
        ctx.progress(sum(piece.result is not None for piece in self.pieces), total, "Reading")


async def _pieces(calls: Calls) -> list[Piece]:
    """The parts as the first run has cut them."""
    analysis = calls.analysis
    if found := [piece async for piece in analysis.pieces.filter(level=0)]:
        return found
    spans = await asyncio.to_thread(calls.asking.split, analysis.text, analysis.kind)
    await Piece.objects.abulk_create([Piece(analysis=analysis, start=start, end=end) for start, end in spans])
    return [piece async for piece in analysis.pieces.filter(level=0)]


def _part(calls: Calls, piece: Piece, number: int, of: int, place: str) -> Part:
    analysis: Analysis = calls.analysis
    text = analysis.text[piece.start : piece.end]
    return Part(
        text=text,
        sentences=list(sentences(text, by_line=analysis.kind == "csv")),
        number=number + 1,
        of=of,
        name=calls.asking.name,
        place=place,
        columns=analysis.columns,
    )


def _span(piece: Piece) -> Span:
    return Span(piece.start, piece.end)


def _read(piece: Piece) -> Read:
    return Read(span=_span(piece), findings=Findings.from_json(piece.result))
