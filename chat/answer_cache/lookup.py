"""Find a stored answer for a question that is being asked, or the job that answers the same one now."""

from dataclasses import dataclass

from django.db import connection

from chat.companions.registry import COMPANIONS
from chat.models import Thread
from chat.prompting.conversation_context import ConversationContext
from chat.prompting.prompt import build_prompt
from chat.prompting.token_budget import PromptMessage
from queueing.api import UNFINISHED, Job, JobError

from . import store
from .keys import MAX_MESSAGES, cache_key

#: First in line: a follower has waited as long as the job whose answer it finds.
FOLLOWER_PRIORITY = 1
#: Why a follower waits, sent with its position in line.
SAME_QUESTION = "same_question"


@dataclass(frozen=True, kw_only=True)
class ReusableAnswer:
    """A stored answer, or the job that is getting it; neither when the model must be asked."""

    key: str = ""
    """Empty when the answer must not be stored."""
    answer: store.Answer | None = None
    leader: Job | None = None
    """The unfinished job that answers the same question."""

    def mark_in_progress(self, job_id: str) -> None:
        """Let later askers of the same question follow this job."""
        if self.key and not self.leader and not self.answer:
            store.mark_in_progress(self.key, job_id)


NOTHING_REUSABLE = ReusableAnswer()


def find_reusable_answer(thread: Thread, text: str) -> ReusableAnswer:
    """Look for an answer to `text` as the next question in `thread`, in which no job is unfinished.

    Must run in the transaction that adds the question: of simultaneous askers one is the first.
    """
    key = _key(thread, text) if text else ""
    if not key:
        return NOTHING_REUSABLE
    _lock(key)
    answer, job_id = store.find(key)
    if answer:
        store.count("hits")
        return ReusableAnswer(key=key, answer=answer)
    leader = Job.objects.filter(id=job_id, state__in=UNFINISHED).first() if job_id else None
    return ReusableAnswer(key=key, leader=leader)


def _key(thread: Thread, text: str) -> str:
    """Return the key of the prompt that the question's job will build."""
    companion = COMPANIONS[thread.companion]
    if thread.summary or companion.cache == "never":
        return ""
    earlier: list[PromptMessage] = []
    if not thread._state.adding:
        rows = thread.messages.exclude(content="").values_list("role", "content")[:MAX_MESSAGES]
        earlier = [PromptMessage(role, content) for role, content in rows]
    if len(earlier) >= MAX_MESSAGES:
        return ""  # the thread may have more than were read
    context = ConversationContext(messages=[*earlier, PromptMessage("user", text)])
    try:
        return cache_key(companion, thread.owner, build_prompt(companion, context))
    except JobError:
        return ""  # the question's job will raise it again, for its owner to read


def _lock(key: str) -> None:
    """Lock the key until the end of the transaction. SQLite allows only one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(key[:15], 16)])
