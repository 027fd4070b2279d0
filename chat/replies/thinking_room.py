"""Room for thoughts: tokens added to the limit of an answer, which the provider counts thoughts against."""

from dataclasses import replace

from django.conf import settings

from chat.prompting.persona import context_tokens, thinking_tokens
from chat.prompting.prompt import ModelRequest

#: A call whose thoughts used up its limit is made again with more: this many times the limit, or this many
#: tokens more, whichever is larger.
FACTOR, MORE_TOKENS = 4, 8_000

#: The room that a model (address and name) needed, as far as this process has seen.
_NEEDED: dict[tuple[str, str], int] = {}


def with_room(request: ModelRequest, companion: str) -> ModelRequest:
    """Return `request` with the room from the settings, or what the model needed before."""
    tokens = max(thinking_tokens(companion), _NEEDED.get(_model(), 0))
    return replace(request, thinking_tokens=_bounded(request, tokens))


def with_more_room(request: ModelRequest) -> ModelRequest | None:
    """Return `request` with more room than it had, or None when the window has no more."""
    wanted = max(FACTOR * request.max_tokens, request.max_tokens + MORE_TOKENS) - request.max_output_tokens
    tokens = _bounded(request, wanted)
    return replace(request, thinking_tokens=tokens) if tokens > request.thinking_tokens else None


def remember(request: ModelRequest) -> None:
    """Give the next calls of the model the room with which `request` was answered."""
    _NEEDED[_model()] = max(request.thinking_tokens, _NEEDED.get(_model(), 0))


def _bounded(request: ModelRequest, tokens: int) -> int:
    left = context_tokens() - request.estimated_input_tokens - request.max_output_tokens
    return max(0, min(tokens, left))


def _model() -> tuple[str, str]:
    return settings.OPENAI_BASE_URL, settings.OPENAI_MODEL
