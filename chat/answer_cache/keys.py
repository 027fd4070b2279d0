"""The key of an answer: what makes two requests to the model the same, and who may share the answer."""

import hashlib
import hmac
import json
from typing import Literal

from django.conf import settings

from chat.companions.registry import Companion
from chat.prompting.prompt import Prompt

#: How a job treats stored answers: `use` one, `renew` (ask the model, and store its answer), `never`. Jobs on
#: record from before may have `follow`, which means `use`.
Reuse = Literal["use", "follow", "renew", "never"]

#: Maximum messages of a conversation that is looked up. Longer ones hardly ever come again, word for word.
MAX_MESSAGES = 9
#: To be raised when the parts of a key, or what is stored, change.
_VERSION = 1


def cache_key(companion: Companion, owner: str, prompt: Prompt) -> str:
    """Return the key of the answer to exactly this prompt; empty when the answer must not be stored.

    The key is 64 hex digits, from which nothing can be learned of the question without the site's
    secret. A shared companion's first messages have one key for all owners; every other key belongs to
    its owner.
    """
    messages = prompt.messages
    if prompt.has_guidance or companion.cache == "never" or not settings.ANSWER_CACHE_SECONDS:
        return ""
    if len(messages) > MAX_MESSAGES:
        return ""
    shared = companion.cache == "shared" and len(messages) == 1
    parts = [
        _VERSION,
        "" if shared else owner,
        companion.id,
        settings.OPENAI_BASE_URL,
        settings.OPENAI_MODEL,
        prompt.budget.max_output_tokens,
        prompt.budget.instructions,
        [(message.role, message.content.strip()) for message in messages],
    ]
    text = json.dumps(parts, ensure_ascii=False).encode(errors="replace")
    return hmac.new(b"answers:" + settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()
