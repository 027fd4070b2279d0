"""Ask the model, and listen while it answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

from chat.prompting.token_budget import Turn, turn_cost
from chat.upstream.client import Provider, client_for
from chat.upstream.errors import mapped

from .parse import Draft, Reply, Spent, read_chunk, read_event
from .sse_parser import EventReader

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Seconds to go on listening after the answer's end, for the token counts and so that the connection
#: can be used again. A provider that hangs there costs the visitor no more than this.
TAIL = 5.0
#: Bytes that the transport hands out at a time. After so many there are more, waiting to be read.
FULL = 16 * 1024


async def at_once() -> None:
    """No pace: everything is read as it arrives."""


async def stream_from(
    provider: Provider,
    *,
    instructions: str,
    turns: Sequence[Turn],
    thread_id: str,
    owner: str,
    max_output_tokens: int,
    on_text: Callable[[str], None],
    pace: Callable[[], Awaitable[None]] = at_once,
    on_spent: Callable[[Spent], None] = lambda spent: None,
) -> Reply:
    """Have `provider`'s model answer the last of `turns`, calling `on_text` with each piece as it arrives.

    The pieces together are the reply's text. Whenever all that has arrived is taken in, `pace()` is
    awaited before more is read. `owner` and `thread_id` reach OpenAI itself alone, the former hashed.
    Cancelling closes the provider's connection at once. `on_spent` hears once what was used, also by a
    call that failed or was cancelled; not when the provider refused the request or was not reached.
    Raises `JobError` in every case that is not an answer.
    """
    draft = Draft(model=provider.model, asked=lambda: _size(instructions, turns))
    request: dict[str, Any] = {"model": provider.model, "stream": True}
    if provider.is_openai:
        request["safety_identifier"] = salted_hmac(__name__, owner, algorithm="sha256").hexdigest()
        request["prompt_cache_key"] = thread_id
    request |= _words(provider, instructions, turns, max_output_tokens)
    try:
        client = await client_for(provider)
        await _listen(client, provider, request, draft, on_text, pace)
        reply = draft.finished()
    except asyncio.CancelledError:
        on_spent(draft.spent("cancelled"))
        raise
    except Exception as exc:
        error = mapped(exc)
        if draft.begun or error.code == "provider_timeout":
            on_spent(draft.spent("failed"))
        if error is exc:
            raise
        raise error from exc
    on_spent(draft.spent("length" if reply.truncated else "stop"))
    return reply


def _size(instructions: str, turns: Sequence[Turn]) -> int:
    return turn_cost(instructions) + sum(turn_cost(turn.content) for turn in turns)


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
    client: "AsyncOpenAI",
    provider: Provider,
    request: dict[str, Any],
    draft: Draft,
    on_text: Callable[[str], None],
    pace: Callable[[], Awaitable[None]],
) -> None:
    from openai import AsyncStream  # see __init__.py

    path = "/responses" if provider.responses else "/chat/completions"
    read: Callable[[Draft, Any], str] = read_event if provider.responses else read_chunk
    # The SDK sends the request, and raises what an error answer means. What it would make of each event
    # costs a worker most of its time while many answers stream, so events are read from the bytes.
    stream = await client.post(
        path, cast_to=object, body=request, stream=True, stream_cls=AsyncStream[object]
    )
    draft.begun = True
    events = EventReader()
    # Leaving this block in whatever way, cancelled too, closes the connection unless all was read.
    async with stream, aclosing(stream.response.aiter_bytes()) as chunks:
        try:
            async with asyncio.timeout(None) as tail:
                async for chunk in chunks:
                    for event in events.feed(chunk):
                        if text := read(draft, event):
                            on_text(text)
                    if draft.ended and tail.when() is None:
                        tail.reschedule(asyncio.get_running_loop().time() + TAIL)
                    if not draft.ended and len(chunk) < FULL:
                        await pace()
        except Exception:
            if not draft.ended:  # what breaks after the end breaks nothing
                raise
