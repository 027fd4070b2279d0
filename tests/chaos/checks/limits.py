"""No queue exceeds its limits, in the provider's clock; no run begins after the end of its job."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tests.chaos.checks.violation import Violation
from tests.chaos.evidence import Call, Evidence, Limit

#: Seconds that the provider takes to see that a caller hung up.
HANG_UP = 0.3
#: Seconds that a call may take from its claim to the provider, on a busy computer.
TRAVEL = 1.0
#: Seconds after the end of a job in which a run that was claimed before may still begin.
LATE = 3.0


def most_at_once(calls: Sequence[Call]) -> int:
    """Return the maximum number of calls that are open at the same moment."""
    moments = [(call.started, 1) for call in calls] + [(call.ended - HANG_UP, -1) for call in calls]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def most_starts(calls: Sequence[Call], seconds: float) -> int:
    """Return the maximum number of starts in any period of this length."""
    starts = sorted(call.started for call in calls)
    most = first = 0
    for last, start in enumerate(starts):
        while start - starts[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def counted(evidence: Evidence, queue: str) -> list[Call]:
    """Return the calls of a queue that count as active.

    A call that goes on while a later run of its job has begun does not: its worker was suspended or cut off,
    and its claim had expired. A call of a suspended worker counts until the worker was suspended.
    """
    by_key: dict[str, list[Call]] = defaultdict(list)
    for call in sorted(evidence.calls, key=lambda call: call.started):
        if call.queue == queue:
            by_key[call.key].append(call)
    kept = by_key.pop("", [])
    for runs in by_key.values():
        kept += [a for a, b in zip(runs, [*runs[1:], None], strict=True) if not b or a.ended <= b.started]
    return [_without_pause(call, evidence.pauses) for call in kept]


def _without_pause(call: Call, pauses: Sequence[tuple[str, float, float]]) -> Call:
    for instance, began, _ in pauses:
        if instance == call.instance and call.started <= began < call.ended:
            call = replace(call, ended=began)
    return call


def _is_late(call: Call, evidence: Evidence) -> bool:
    """Return whether the call's worker had been suspended just before it."""
    return any(name == call.instance and a <= call.started <= b + TRAVEL for name, a, b in evidence.pauses)


def exceeded(evidence: Evidence) -> Iterator[Violation]:
    """No queue has more active jobs or starts than it may."""
    for limit in evidence.limits:
        yield from _exceeded(evidence, limit)


def _exceeded(evidence: Evidence, limit: Limit) -> Iterator[Violation]:
    active = counted(evidence, limit.queue)
    if limit.total and (most := most_at_once(active)) > limit.total:
        yield Violation("", f"{limit.queue}: {most} active, at most {limit.total} may be")
    for instance in sorted({call.instance for call in active}) if limit.per_instance else []:
        most = most_at_once([call for call in active if call.instance == instance])
        if most > limit.per_instance:
            yield Violation("", f"{limit.queue}: {most} active in {instance}, of {limit.per_instance}")
    if limit.starts:
        allowed, seconds = limit.starts
        calls = [call for call in evidence.calls if call.queue == limit.queue]
        most = most_starts([call for call in calls if not _is_late(call, evidence)], seconds - TRAVEL)
        if most > allowed:
            yield Violation("", f"{limit.queue}: {most} starts in {seconds:g} s, at most {allowed} may be")


def ghosts(evidence: Evidence) -> Iterator[Violation]:
    """A completed job was really done, and no run begins after its end."""
    calls: dict[str, list[Call]] = defaultdict(list)
    for call in evidence.calls:
        calls[call.key].append(call)
    for transcript in evidence.transcripts:
        question, mine = transcript.question, calls[transcript.question.request_id]
        if question.expected is None or question.what == "shared" or not transcript.ended_at:
            continue
        completed = any(verb == "completed" for verb, _ in transcript.ends)
        if completed and not any(call.whole for call in mine):
            yield Violation(question.request_id, "completed, but the provider never sent a whole answer")
        late = [call for call in mine if call.started > transcript.ended_at + LATE]
        if late := [call for call in late if not _is_late(call, evidence)]:
            after = late[0].started - transcript.ended_at
            yield Violation(question.request_id, f"a run began {after:.1f} s after its end")
