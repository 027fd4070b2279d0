"""What one visitor saw of one question, put together as docs/protocol.md says."""

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.visitors.questions import Question

ENDS = ("completed", "failed", "cancelled")


@dataclass
class Reading:
    """The text of one job in one tab."""

    run: int = 0
    text: str = ""
    texts: list[str] = field(default_factory=list)
    """The texts of earlier runs."""
    gap_asked: tuple[int, int] | None = None

    def begin(self, run: int) -> None:
        if run > self.run:
            if self.text:
                self.texts.append(self.text)
            self.run, self.text = run, ""

    def add(self, event: dict[str, Any]) -> str:
        """Join a delta. Return `gap` when something before it is missing, or how it is wrong."""
        if event["run"] < self.run:
            return ""
        self.begin(event["run"])
        offset, text = event["offset"], event["text"]
        if offset > len(self.text):
            return "gap"
        overlap = self.text[offset : offset + len(text)]
        if not text.startswith(overlap):
            return f"run {self.run}, offset {offset}: {text[:40]!r} after {overlap[:40]!r}"
        self.text += text[len(overlap) :]
        return ""


@dataclass
class Transcript:
    """One question, from asking to its end."""

    question: Question
    visitor: str
    asked_at: float
    accepted_at: float = 0.0
    ended_at: float = 0.0
    job_id: str = ""
    thread_id: str = ""
    readings: dict[str, Reading] = field(default_factory=dict)
    """Tab -> what it read."""
    ends: list[tuple[str, str]] = field(default_factory=list)
    """The different ends that were announced: (verb, text or code)."""
    wrong: list[str] = field(default_factory=list)
    """Deltas that contradict earlier ones, refusals for good, and the like."""
    cancel_sent: bool = False
    shown: list[tuple[str, str, str]] = field(default_factory=list)
    """At the end of the run: (role, status, content) of its messages, or of the job alone."""

    def reading(self, tab: str) -> Reading:
        return self.readings.setdefault(tab, Reading())

    def hear(self, tab: str, event: dict[str, Any], now: float) -> bool:
        """Add one event; return whether the tab has to ask for what is missing."""
        verb = event["type"].partition(":")[2]
        if job_id := event.get("jobId"):
            if self.job_id and self.job_id != job_id:
                self.wrong.append(f"a second job {job_id}")
            self.job_id = job_id
        self.thread_id = event.get("threadId") or self.thread_id
        if verb in ("queued", "started", *ENDS):
            self.accepted_at = self.accepted_at or now
        if verb == "started":
            self.reading(tab).begin(event["run"])
        elif verb == "delta":
            problem = self.reading(tab).add(event)
            if problem == "gap":
                return True
            self.wrong += [problem] if problem else []
        elif verb in ENDS:
            self._end(verb, event, now)
        return False

    def _end(self, verb: str, event: dict[str, Any], now: float) -> None:
        self.ended_at = self.ended_at or now
        fields = {"completed": "response", "cancelled": "text", "failed": "code"}
        end = (verb, event.get(fields[verb]) or "")
        if end not in self.ends:
            self.ends.append(end)
