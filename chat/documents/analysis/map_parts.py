"""The map step: take notes of each part of a document."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chat.documents import texts
from chat.documents.models import Analysis, Chunk

from . import report
from .concurrency import run_concurrently
from .cost import DocumentCost
from .model_calls import CONCURRENCY, DocumentCalls
from .model_session import tokens_of_text
from .prompts import Findings, Part
from .report import PartResult
from .splitting import DocumentLocations, Span, passages


async def read_parts(calls: DocumentCalls, locations: DocumentLocations) -> list[PartResult]:
    """Read all parts that no earlier run has read. The notes are streamed in the document's order."""
    chunks = await _chunks(calls)
    stream = _NotesStream(calls, chunks, locations)

    async def read_one(number: int) -> None:
        chunk = chunks[number]
        part = _part(calls, chunk, number, len(chunks), locations.describe(_span(chunk)))
        await calls.run(
            chunk,
            calls.session.prompts.part_prompt(part, calls.session.question),
            lambda answer: calls.session.prompts.parse_part(answer, part),
            lambda reason: Findings(skipped=reason),
        )
        stream.send_ready()

    unread = [number for number, chunk in enumerate(chunks) if chunk.result is None]
    await calls.begin(await asyncio.to_thread(_cost, calls, len(chunks), [chunks[n] for n in unread]))
    stream.send_ready()
    await run_concurrently(unread, read_one, limit=CONCURRENCY)
    return [_result(chunk) for chunk in chunks]


def _cost(calls: DocumentCalls, parts: int, unread: Sequence[Chunk]) -> DocumentCost:
    """Return the cost of reading the unread parts, and of combining all notes."""
    document = calls.analysis
    tokens = sum(tokens_of_text(document.text[chunk.start : chunk.end], document.kind) for chunk in unread)
    return DocumentCost.of_parts(calls.session, parts, tokens, len(unread))


@dataclass
class _NotesStream:
    """The stream of notes to the clients that watch the job."""

    calls: DocumentCalls
    chunks: list[Chunk]
    locations: DocumentLocations
    streamed: int = 0
    """Parts whose notes are sent."""

    def send_ready(self) -> None:
        """Send the notes of the parts that are read, up to the first unread one, and the progress."""
        ctx, total = self.calls.ctx, len(self.chunks)
        while self.streamed < total and self.chunks[self.streamed].result is not None:
            chunk = self.chunks[self.streamed]
            self.streamed += 1
            location = self.locations.describe(_span(chunk))
            ctx.delta(report.part_notes(_result(chunk), self.streamed, total, location))
        ctx.progress(sum(chunk.result is not None for chunk in self.chunks), total, texts.READING)


async def _chunks(calls: DocumentCalls) -> list[Chunk]:
    """Return the parts as the first run has cut them."""
    analysis = calls.analysis
    if found := [chunk async for chunk in analysis.chunks.filter(level=0)]:
        return found
    spans = await asyncio.to_thread(calls.session.split, analysis.text, analysis.kind)
    await Chunk.objects.abulk_create([Chunk(analysis=analysis, start=start, end=end) for start, end in spans])
    return [chunk async for chunk in analysis.chunks.filter(level=0)]


def _part(calls: DocumentCalls, chunk: Chunk, number: int, total: int, location: str) -> Part:
    analysis: Analysis = calls.analysis
    text = analysis.text[chunk.start : chunk.end]
    return Part(
        text=text,
        sentences=list(passages(text, by_line=analysis.kind == "csv")),
        number=number + 1,
        total=total,
        name=calls.session.name,
        location=location,
        columns=analysis.columns,
    )


def _span(chunk: Chunk) -> Span:
    return Span(chunk.start, chunk.end)


def _result(chunk: Chunk) -> PartResult:
    return PartResult(span=_span(chunk), findings=Findings.from_json(chunk.result))
