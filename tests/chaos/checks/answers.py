"""Each accepted question has exactly one job, one end and one visible answer, byte for byte the right one."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checks.violation import Violation
from tests.chaos.evidence import Evidence, Row
from tests.chaos.visitors.transcript import ENDS, Transcript


def _accepted(evidence: Evidence) -> Iterator[tuple[Transcript, list[Row]]]:
    for transcript in evidence.transcripts:
        if transcript.accepted_at:
            yield transcript, evidence.by_request.get(transcript.question.request_id, [])


def _row_of(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def lost(evidence: Evidence) -> Iterator[Violation]:
    """What was accepted is on record, and is shown after a reload."""
    for transcript, rows in _accepted(evidence):
        name = transcript.question.request_id
        if not rows:
            yield Violation(name, "accepted, but there is no job on record")
        elif not transcript.shown:
            yield Violation(name, "accepted, but after a reload it is not shown")
        elif (first := transcript.shown[0])[1].startswith("HTTP"):
            yield Violation(name, f"its {first[0]} cannot be loaded: {first[1]}")
        elif transcript.question.is_chat:
            roles = Counter(role for role, _, _ in transcript.shown)
            for role in ("user", "assistant"):
                if not roles[role]:
                    yield Violation(name, f"no message of the {role} is shown")


def doubled(evidence: Evidence) -> Iterator[Violation]:
    """One request is one job, one question and one answer."""
    for transcript, rows in _accepted(evidence):
        name = transcript.question.request_id
        if len(rows) > 1:
            yield Violation(name, f"{len(rows)} jobs on record")
        roles = Counter(role for role, _, _ in transcript.shown)
        for role, count in roles.items():
            if count > 1:
                yield Violation(name, f"{count} messages of the {role} are shown")


def stuck(evidence: Evidence) -> Iterator[Violation]:
    """Everything is accepted and ends, on record and for its visitor."""
    for transcript in evidence.transcripts:
        name = transcript.question.request_id
        row = _row_of(evidence.by_request.get(name, []))
        if not transcript.accepted_at:
            yield Violation(
                name, f"never accepted ({row.state if row else 'not'} on record) {transcript.wrong[:1]}"
            )
        elif row and row.state not in ENDS:
            yield Violation(name, f"{row.state} on record, run {row.runs}, attempt {row.attempts}")
        elif not transcript.ended_at:
            yield Violation(name, "ended on record, but its visitor never received the end")


def contradicted(evidence: Evidence) -> Iterator[Violation]:
    """All ends that a visitor receives are the same: the one on record, and the one that is shown."""
    for transcript, rows in _accepted(evidence):
        name, row = transcript.question.request_id, _row_of(rows)
        if row and row.state not in ENDS:
            continue  # stuck
        if len(transcript.ends) > 1:
            yield Violation(name, f"several ends: {_short(transcript.ends)}")
        for verb, text in transcript.ends:
            if row and verb != row.state:
                yield Violation(name, f"the visitor received {verb}, on record it is {row.state}")
            elif row and verb == "completed" and text != row.response:
                yield Violation(
                    name, f"the visitor received {text[:40]!r}, on record is {row.response[:40]!r}"
                )
        for role, status, _ in transcript.shown:
            if row and role != "user" and status != row.state and not status.startswith("HTTP"):
                yield Violation(name, f"{status} is shown, {row.state} is on record")


def wrong_text(evidence: Evidence) -> Iterator[Violation]:
    """Streams, stored texts and shown texts are the provider's text, byte for byte."""
    for transcript, rows in _accepted(evidence):
        name, row, expected = transcript.question.request_id, _row_of(rows), transcript.question.expected
        for problem in transcript.wrong:
            yield Violation(name, problem)
        if expected is None or not row:
            continue
        for tab, reading in transcript.readings.items():
            for text in [*reading.texts, reading.text]:
                if not expected.startswith(text):
                    yield Violation(name, f"tab {tab} read {text[-60:]!r}, which is not in the answer")
        if row.state == "completed" and row.response != expected:
            yield Violation(name, f"{row.response[:60]!r} is stored in place of {expected[:60]!r}")
        for role, status, content in transcript.shown:
            whole = status == "completed" and role != "user" and content != expected
            part = status in ("cancelled", "failed") and role == "assistant"
            if whole or (part and not expected.startswith(content)):
                yield Violation(name, f"{content[:60]!r} is shown in place of {expected[:60]!r}")


def unanswered(evidence: Evidence) -> Iterator[Violation]:
    """A question ends as it should: completed, unless it was cancelled or had to fail.

    One failure is right: all attempts got an answer that the provider itself spoiled.
    """
    spoiled = Counter(call.key for call in evidence.calls if call.spoiled in ("lying", "cutting"))
    for transcript, rows in _accepted(evidence):
        name, row, wish = transcript.question.request_id, _row_of(rows), transcript.question.wish
        if not row or row.state not in ENDS or row.state == wish:
            continue
        if wish == "any" and row.state in ("completed", "cancelled"):
            continue
        if row.state == "failed" and wish != "failed" and spoiled[name] >= row.max_attempts:
            continue
        detail = f" ({row.code}, {row.runs} runs, {row.stalls} times lost its worker)" if row.code else ""
        yield Violation(name, f"{row.state}{detail}")


def _short(ends: list[tuple[str, str]]) -> str:
    return ", ".join(f"{verb} {text[:30]!r}" for verb, text in ends)
