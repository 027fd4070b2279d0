"""A stored answer for a question that is just being asked, or the job that answers the same one now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from chat.care.model_guidance import guidance
from chat.companions.registry import COMPANIONS
from chat.models import Thread
from chat.prompting.persona import Voice
from chat.prompting.token_budget import Turn, fit
from queueing.api import UNFINISHED, Job, JobError, Submission, submit, submit_completed

from . import store
from .keys import MOST_TURNS, Reuse, key_of

#: The first in line: who follows has waited as long as the one whose answer it finds.
FIRST = 1
#: Why it waits, told with its place (queueing/status.py).
SAME_QUESTION = "same_question"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a question before it is asked."""

    key: str = ""
    answer: store.Answer | None = None
    leader: Job | None = None
    """The unfinished job that answers the same question."""

    def submit(
        self,
        kind: str,
        args: dict[str, Any],
        *,
        rows: Callable[[Job], None],
        delay: float,
        depends_on: Sequence[Job],
        after: Sequence[Job],
        owner: str,
        request_id: str,
        meta: dict[str, str],
    ) -> Submission:
        """Submit the question's job, with what `rows(job)` writes: done, if there is an answer; to run
        when the job that answers the same is over; or as ever. Otherwise as `queueing.submit.submit`."""
        who: dict[str, Any] = {"owner": owner, "request_id": request_id}
        if self.answer:
            return submit_completed(kind, args, self.answer.result, rows=rows, meta=meta, **who)
        waits: dict[str, Any] = who | {"delay": delay, "depends_on": depends_on, "after": after, "meta": meta}
        if self.leader:
            args = args | {"answers": "follow"}
            waits |= {"after": [*after, self.leader], "meta": meta | {"afterReason": SAME_QUESTION}}
            waits |= {"priority": FIRST}
        submission = submit(kind, args, **waits)
        if submission.created:
            rows(submission.job)
            if self.key and not self.leader:
                store.answering(self.key, submission.job.id.hex)
        return submission


UNKNOWN = Known()


def look(thread: Thread, text: str, reuse: Reuse) -> Known:
    """What is known of `text` as the next question in `thread`, in which nothing is unfinished.

    Within the transaction that asks it, so that of those who ask the same at the same moment one is first.
    """
    key = _key(thread, text) if reuse == "use" and text else ""
    if not key:
        return UNKNOWN
    _one_at_a_time(key)
    answer, job_id = store.find(key)
    if answer:
        store.count("hits")
        return Known(key=key, answer=answer)
    leader = Job.objects.filter(id=job_id, state__in=UNFINISHED).first() if job_id else None
    return Known(key=key, leader=leader)


def _key(thread: Thread, text: str) -> str:
    """The key of what the model would be sent, as the job of the question makes it."""
    companion = COMPANIONS[thread.companion]
    if thread.summary or companion.cache == "never":
        return ""
    said: list[tuple[Any, str]] = []
    if not thread._state.adding:
        said += thread.messages.exclude(content="").values_list("role", "content")[:MOST_TURNS]
    if len(said) >= MOST_TURNS:
        return ""  # and more of them may not have been read
    turns = [Turn(role, content) for role, content in [*said, ("user", text)]]
    if guidance(turn.content for turn in turns if turn.role == "user"):
        return ""
    voice = Voice.of(companion)
    try:
        turns = fit(
            voice.instructions,
            turns,
            context_tokens=voice.context_tokens,
            max_output_tokens=voice.max_output_tokens,
        )
    except JobError:
        return ""  # its job will say what is wrong with it
    return key_of(companion, thread.owner, voice, turns)


def _one_at_a_time(key: str) -> None:
    """Until the end of the transaction. SQLite lets only one write at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(key[:15], 16)])
