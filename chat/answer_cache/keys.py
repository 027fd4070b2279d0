"""What makes two requests to the model the same, and who may share the answer."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Literal, Protocol

from django.conf import settings

from chat.companions.registry import Companion
from chat.prompting.token_budget import Turn

#: How a job treats stored answers: `use` one, `follow` (the same, and another job was answering the same
#: question when it was asked), `renew` (ask anew, and keep that answer), `never`.
Reuse = Literal["use", "follow", "renew", "never"]

#: Turns of a conversation that is looked up at most. Longer ones hardly ever come again, word for word.
MOST_TURNS = 9
#: To be raised when what a key is made of, or what is stored, changes.
_VERSION = 1


class Voice(Protocol):
    """How a companion speaks: what of it goes into the request."""

    @property
    def instructions(self) -> str: ...

    @property
    def max_output_tokens(self) -> int: ...


def key_of(companion: Companion, owner: str, voice: Voice, turns: Sequence[Turn]) -> str:
    """The name of the answer to exactly this request; empty when it is not to be kept.

    64 hex digits, from which nobody without the site's secret can tell what was asked. A shared
    companion's first messages have one name for all owners; all else belongs to its owner.
    """
    if companion.cache == "never" or not settings.ANSWER_CACHE_SECONDS or len(turns) > MOST_TURNS:
        return ""
    shared = companion.cache == "shared" and len(turns) == 1
    request = [
        _VERSION,
        "" if shared else owner,
        companion.id,
        settings.OPENAI_BASE_URL,
        settings.OPENAI_MODEL,
        voice.max_output_tokens,
        voice.instructions,
        [(turn.role, turn.content.strip()) for turn in turns],
    ]
    text = json.dumps(request, ensure_ascii=False).encode(errors="replace")
    return hmac.new(b"answers:" + settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()
