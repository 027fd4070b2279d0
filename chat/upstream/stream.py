"""Ask the model, and listen while it answers."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from django.utils.crypto import salted_hmac
from openai import AsyncOpenAI, AsyncStream

from chat.history import Turn
from chat.upstream.client import Provider, client_for
from chat.upstream.errors import mapped
from chat.upstream.reply import Draft, Reply, read_chunk, read_event
from queueing.errors import JobError

#: Seconds to go on listening after the answer's end, for the token counts and so that the connection
#: can be used again. A provider that hangs there costs the visitor no more than this.
TAIL = 5.0


async def stream_reply(
    *,
    instructions: str,
    turns: Sequence[Turn],
    thread_id: str,
    owner: str,
    max_output_tokens: int,
    on_text: Callable[[str], None],
) -> Reply:
    """Have the model answer the last of `turns`, calling `on_text` with each piece as it arrives.

    The pieces together are the reply's text. `owner` and `thread_id` reach OpenAI itself alone, the
    former hashed. Cancelling closes the provider's connection at once. Raises `JobError` in every
    case that is not an answer.
    """
    provider = Provider.from_settings()
    draft = Draft(model=provider.model)
    request: dict[str, Any] = {"model": provider.model, "stream": True}
    if provider.is_openai:
        request["safety_identifier"] = salted_hmac(__name__, owner, algorithm="sha256").hexdigest()
        request["prompt_cache_key"] = thread_id
    request |= _words(provider, instructions, turns, max_output_tokens)
    try:
        client = await client_for(provider)
        await _listen(client, provider, request, draft, on_text)
    except JobError:
        raise
    except Exception as exc:
        raise mapped(exc) from exc
    return draft.finished()


def _words(
    provider: Provider, instructions: str, turns: Sequence[Turn], max_output_tokens: int
) -> dict[str, Any]:
    """The part of the request that the two APIs spell differently."""
    if provider.responses:
        return {
            "instructions": instructions,
            "input": [_input_item(turn) for turn in turns],
            "max_output_tokens": max_output_tokens,
            "store": False,
        }
    # OpenAI has renamed the limit; other servers know the old name best.
    limit = "max_completion_tokens" if provider.is_openai else "max_tokens"
    said = [{"role": turn.role, "content": turn.content} for turn in turns]
    return {
        "messages": [{"role": "system", "content": instructions}, *said],
        "stream_options": {"include_usage": True},
        limit: max_output_tokens,
    }


def _input_item(turn: Turn) -> dict[str, Any]:
    if turn.role == "user":
        return {"type": "message", "role": "user", "content": turn.content}
    # llama.cpp takes past answers in this long form only; OpenAI takes either.
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": turn.content}],
    }


async def _listen(
    client: AsyncOpenAI,
    provider: Provider,
    request: dict[str, Any],
    draft: Draft,
    on_text: Callable[[str], None],
) -> None:
    path = "/responses" if provider.responses else "/chat/completions"
    read: Callable[[Draft, Any], str] = read_event if provider.responses else read_chunk
    # The SDK's typed `create` builds a model object for each event, which costs a worker three
    # quarters of its time while many answers stream; its plain `post` gives the JSON.
    events = await client.post(
        path, cast_to=object, body=request, stream=True, stream_cls=AsyncStream[object]
    )
    # Leaving this block in whatever way, cancelled too, closes the connection unless all was read.
    async with events:
        try:
            async with asyncio.timeout(None) as tail:
                async for event in events:
                    if text := read(draft, event):
                        on_text(text)
                    if draft.ended and tail.when() is None:
                        tail.reschedule(asyncio.get_running_loop().time() + TAIL)
        except Exception:
            if not draft.ended:  # what breaks after the end breaks nothing
                raise
