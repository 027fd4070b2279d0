"""Find a stored answer for a question that is being asked."""

from django.conf import settings

from chat.companions.registry import COMPANIONS
from chat.models import Thread
from chat.prompting.conversation_context import ConversationContext
from chat.prompting.prompt import build_prompt
from chat.prompting.token_budget import PromptMessage
from queueing.api import JobError

from . import store
from .keys import MAX_MESSAGES, cache_key


def find_answer(thread: Thread, text: str) -> store.Answer | None:
    """Return the stored answer to `text` as the next question in `thread`, in which no job is unfinished."""
    key = _key(thread, text) if text else ""
    return store.find(key) if key else None


def _key(thread: Thread, text: str) -> str:
    """Return the key of the prompt that the question's job will build."""
    companion = COMPANIONS[thread.companion]
    if not settings.ANSWER_CACHE_SECONDS or thread.summary or companion.cache == "never":
        return ""
    earlier: list[PromptMessage] = []
    if not thread._state.adding:
        rows = thread.messages.filter(is_chosen=True).exclude(content="").values_list("role", "content")
        earlier = [PromptMessage(role, content) for role, content in rows[:MAX_MESSAGES]]
    if len(earlier) >= MAX_MESSAGES:
        return ""  # the thread may have more than were read
    context = ConversationContext(messages=[*earlier, PromptMessage("user", text)])
    try:
        return cache_key(companion, thread.owner, build_prompt(companion, context))
    except JobError:
        return ""  # the question's job will raise it again, for its owner to read
