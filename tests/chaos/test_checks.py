"""Each check of the chaos program finds the defect that it is for, and nothing in sound evidence."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.chaos.checks import CHECKS, judge
from tests.chaos.evidence import Applied, Call, Evidence, Limit, Probe, Row
from tests.chaos.provider import answer_to
from tests.chaos.system.services import Sample
from tests.chaos.visitors.questions import Question
from tests.chaos.visitors.transcript import Transcript

TEXT = "v01-0001 What about trams?"
ANSWER = answer_to(TEXT)
LIMITS = (Limit(queue="openai-chat", total=3, per_instance=2, starts=(4, 10.0)),)


def event(verb: str, **fields: object) -> dict[str, object]:
    return {"type": f"chat:{verb}", "jobId": "a1", "requestId": "v01-0001", "threadId": "b2", **fields}


def transcript(number: int = 1, *, verb: str = "completed", wish: str = "unique") -> Transcript:
    """Return what a visitor saw of a question that was answered."""
    request_id = f"v01-{number:04}"
    seen = Transcript(Question(request_id, wish, TEXT, ANSWER), "v01", 100.0)
    events = [
        event("queued"),
        event("started", run=1),
        event("delta", run=1, offset=0, text=ANSWER[:10]),
        event("delta", run=1, offset=10, text=ANSWER[10:]),
        event(verb, response=ANSWER, text=ANSWER, code="cut_off"),
    ]
    for at, one in enumerate(events, 101):
        seen.hear("1", one | {"jobId": f"a{number}"}, float(at))
    seen.shown = [("user", verb, TEXT), ("assistant", verb, ANSWER if verb == "completed" else "")]
    return seen


def row(number: int = 1, state: str = "completed", **more: object) -> Row:
    response = ANSWER if state == "completed" else ""
    fields = {
        "id": f"a{number}",
        "request_id": f"v01-{number:04}",
        "kind": "chat.reply",
        "response": response,
    }
    return Row(**fields | {"state": state} | more)  # type: ignore[arg-type]


def call(number: int = 1, started: float = 102.0, ended: float = 104.0, **more: object) -> Call:
    fields = {"queue": "openai-chat", "instance": "cluster1.1", "whole": True}
    return Call(key=f"v01-{number:04}", started=started, ended=ended, **fields | more)  # type: ignore[arg-type]


@pytest.fixture
def sound() -> Evidence:
    """Two questions that were answered as they should be, of which one run was repeated."""
    return Evidence(
        transcripts=[transcript(1), transcript(2)],
        rows=[row(1), row(2, runs=2)],
        calls=[call(1), call(2, 101.0, 110.0, whole=False), call(2, instance="cluster2.1")],
        limits=LIMITS,
        applied=[Applied(0, "redis.refuse", 200.0, 220.0, (200.0, 220.0))],
        probes=[Probe("web1", at, status) for at, status in ((190, 0), (210, 503), (230, 503), (250, 200))],
        samples=[Sample("web1.1/7", 100.0 + 50 * n, 100.0 + n, 40) for n in range(4)],
    )


def violated(evidence: Evidence) -> set[str]:
    return {rule for rule, violations in judge(evidence).items() if violations}


def test_sound_evidence_has_no_violation(sound):
    assert violated(sound) == set()


def change(**changes: Callable[[Evidence], object]) -> Callable[[Evidence], Evidence]:
    """Return a function that replaces fields of the evidence."""
    return lambda sound: replace(sound, **{name: make(sound) for name, make in changes.items()})


def with_transcript(damage: Callable[[Transcript], object]) -> Callable[[Evidence], Evidence]:
    """Return a function that damages the first transcript."""

    def damaged(sound: Evidence) -> Evidence:
        damage(sound.transcripts[0])
        return sound

    return damaged


def changed_row(**fields: object) -> Callable[[Evidence], Evidence]:
    return change(rows=lambda sound: [replace(sound.rows[0], **fields), sound.rows[1]])  # type: ignore[arg-type]


def more_calls(*calls: Call) -> Callable[[Evidence], Evidence]:
    return change(calls=lambda sound: [*sound.calls, *calls])


def hear(*events: dict[str, object], at: float = 106.0) -> Callable[[Transcript], object]:
    return lambda seen: [seen.hear("1", one, at) for one in events]


def dropped(seen: Transcript) -> None:
    """The terminal event never arrived."""
    seen.ends, seen.ended_at = [], 0.0


def showing(*messages: tuple[str, str, str]) -> Callable[[Evidence], Evidence]:
    return with_transcript(lambda seen: setattr(seen, "shown", list(messages)))


QUESTION, REPLY = ("user", "completed", TEXT), ("assistant", "completed", ANSWER)

#: What is wrong -> the rule that must find it, and how it comes about.
DEFECTS: dict[str, tuple[str, Callable[[Evidence], Evidence]]] = {
    "an accepted job is not on record": ("lost", change(rows=lambda sound: sound.rows[1:])),
    "the answer is gone after a reload": ("lost", showing(QUESTION)),
    "nothing is shown after a reload": ("lost", showing()),
    "the page cannot be loaded": ("lost", showing(("page", "HTTP 500", ""))),
    "one request became two jobs": ("doubled", change(rows=lambda sound: [*sound.rows, row(1, id="c3")])),
    "the answer is shown twice": ("doubled", showing(QUESTION, REPLY, REPLY)),
    "the question is shown twice": ("doubled", showing(QUESTION, QUESTION, REPLY)),
    "a job never ends": ("stuck", changed_row(state="active")),
    "the terminal event is lost": ("stuck", with_transcript(dropped)),
    "a message is never accepted": ("stuck", with_transcript(lambda seen: setattr(seen, "accepted_at", 0))),
    "a second end follows": ("contradicted", with_transcript(hear(event("failed", code="cut_off")))),
    "another answer follows": ("contradicted", with_transcript(hear(event("completed", response="Other.")))),
    "the record says something else": ("contradicted", changed_row(state="failed")),
    "the page says something else": ("contradicted", showing(QUESTION, ("assistant", "failed", ""))),
    "a delta is lost without a gap": (
        "wrong text",
        with_transcript(hear(event("delta", run=2, offset=0, text=ANSWER[3:9]))),
    ),
    "a delta contradicts an earlier one": (
        "wrong text",
        with_transcript(hear(event("delta", run=1, offset=0, text="Other"))),
    ),
    "the stored text lacks a word": ("wrong text", changed_row(response=ANSWER[:-3])),
    "the shown text lacks a word": ("wrong text", showing(QUESTION, ("assistant", "completed", ANSWER[:-3]))),
    "a question is refused for good": (
        "wrong text",
        with_transcript(lambda seen: seen.wrong.append("refused")),
    ),
    "a request gets a second job id": (
        "wrong text",
        with_transcript(hear(event("queued") | {"jobId": "another"})),
    ),
    "an event of another owner arrives": (
        "foreign",
        change(foreign=lambda sound: ["chat:delta of 'v02-0001'"]),
    ),
    "four are active in total, of three": (
        "limits",
        more_calls(*(call(number, instance=f"cluster{number}.1") for number in (3, 4, 5))),
    ),
    "three are active in a cluster, of two": ("limits", more_calls(call(3), call(4))),
    "five start in the window of four": (
        "limits",
        more_calls(*(call(number, 111.0 + number, 111.2 + number) for number in range(3, 8))),
    ),
    "a run begins after the end": ("ghosts", more_calls(call(1, 140.0, 141.0))),
    "an answer was never made": ("ghosts", change(calls=lambda sound: sound.calls[1:])),
    "ready without Redis": (
        "readyz",
        change(probes=lambda sound: [Probe("web1", 212.0, 200), *sound.probes]),
    ),
    "not ready though all is well": (
        "readyz",
        change(probes=lambda sound: [Probe("web1", 250.0, 503), *sound.probes]),
    ),
    "dead at the end": ("readyz", change(probes=lambda sound: [*sound.probes, Probe("web1", 260.0, 0)])),
    "the memory grows": (
        "growth",
        change(samples=lambda sound: [Sample("w", 60.0 * n, 100.0 * n, 9) for n in range(9)]),
    ),
    "open files grow": (
        "growth",
        change(samples=lambda sound: [Sample("w", 60.0 * n, 9.0, 99 * n) for n in range(9)]),
    ),
    "a process ends by itself": ("crashes", change(crashes=lambda sound: ["web1.1 ended with 1"])),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_defect_is_found_by_its_check(sound, defect):
    rule, damage = DEFECTS[defect]
    assert rule in violated(damage(sound))


def test_every_check_has_a_defect():
    assert set(CHECKS) == {rule for rule, _ in DEFECTS.values()} | {"unanswered"}


@pytest.mark.parametrize(
    ("state", "what", "spoiled", "is_right"),
    [
        ("failed", "unique", "", False),
        ("failed", "unique", "errors", False),  # an outage must be waited out
        ("failed", "unique", "lying", True),
        ("cancelled", "unique", "", False),
        ("cancelled", "cancelled", "", True),
        ("failed", "refused", "", True),
        ("completed", "refused", "", False),
    ],
)
def test_end_is_right_only_where_the_question_or_the_provider_asks_for_it(state, what, spoiled, is_right):
    calls = [call(1, 100.0 + n, 100.5 + n, whole=False, spoiled=spoiled) for n in range(3)]
    evidence = Evidence(transcripts=[transcript(1, verb=state, wish=what)], rows=[row(1, state)], calls=calls)
    assert bool(judge(evidence)["unanswered"]) is not is_right


def test_call_of_a_suspended_worker_counts_until_it_was_suspended(sound):
    calls = [call(n, 100.0, 130.0) for n in (3, 4)] + [call(n, 115.0, 116.0) for n in (5, 6)]
    evidence = replace(sound, calls=calls, pauses=[("cluster1.1", 110.0, 125.0)])
    assert not judge(evidence)["limits"]
    assert judge(replace(evidence, pauses=[]))["limits"]
