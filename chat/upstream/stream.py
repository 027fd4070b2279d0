"""Send a request to the model and read its answer as it arrives."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from django.utils.crypto import salted_hmac

from chat.prompting.token_budget import Turn, turn_cost
from chat.upstream.client import Provider, client_for
from chat.upstream.errors import as_job_error

from .parse import CallUsage, Draft, ModelReply, read_chunk, read_event
from .sse_parser import SSEParser

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Seconds to continue reading after the answer's end, for the token counts and so that the connection can
#: be used again. A provider that hangs there delays the reply by no more than this.
TAIL_TIMEOUT = 5.0
#: Bytes that the transport returns at a time. After a chunk of this size more bytes are ready to be read.
FULL_CHUNK = 16 * 1024


async def no_pause() -> None:
    """Return at once: everything is read as it arrives."""


async def stream_from(
    provider: Provider,
    *,
    instructions: str,
    turns: Sequence[Turn],
    thread_id: str,
    owner: str,
    max_output_tokens: int,
    on_text: Callable[[str], None],
    pace: Callable[[], Awaitable[None]] = no_pause,
    on_usage: Callable[[CallUsage], None] = lambda usage: None,
) -> ModelReply:
    """Return the answer of `provider`'s model to the last of `turns`; call `on_text` with each piece.

    The pieces together are the reply's text. After all bytes that have arrived are parsed, `pace()` is
    awaited before the next read. `owner` and `thread_id` are sent to OpenAI alone, the owner as a hash.
    Cancelling closes the provider's connection at once. `on_usage` is called once with the tokens used, also
    for a call that failed or was cancelled, but not when the provider refused the request or was not reached.
    Raises `JobError` in every case that is not an answer.
    """
    draft = Draft(model=provider.model, estimate_input=lambda: _estimate(instructions, turns))
    request: dict[str, Any] = {"model": provider.model, "stream": True}
    if provider.is_openai:
        request["safety_identifier"] = salted_hmac(__name__, owner, algorithm="sha256").hexdigest()
        request["prompt_cache_key"] = thread_id
    request |= _prompt_fields(provider, instructions, turns, max_output_tokens)
    try:
        client = await client_for(provider)
        await _read_answer(client, provider, request, draft, on_text, pace)
        reply = draft.finished()
    except asyncio.CancelledError:
        on_usage(draft.usage("cancelled"))
        raise
    except Exception as exc:
        error = as_job_error(exc)
        if draft.started or error.code == "provider_timeout":
            on_usage(draft.usage("failed"))
        if error is exc:
            raise
        raise error from exc
    on_usage(draft.usage("length" if reply.truncated else "stop"))
    return reply


def _estimate(instructions: str, turns: Sequence[Turn]) -> int:
    return turn_cost(instructions) + sum(turn_cost(turn.content) for turn in turns)


def _prompt_fields(
    provider: Provider, instructions: str, turns: Sequence[Turn], max_output_tokens: int
) -> dict[str, Any]:
    """Return the fields of the request that differ between the two APIs."""
    if provider.responses:
        return {
            "instructions": instructions,
            "input": [_input_item(turn) for turn in turns],
            "max_output_tokens": max_output_tokens,
            "store": False,
        }
    # OpenAI has renamed the limit; other servers know the old name.
    limit = "max_completion_tokens" if provider.is_openai else "max_tokens"
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    return {
        "messages": [{"role": "system", "content": instructions}, *messages],
        "stream_options": {"include_usage": True},
        limit: max_output_tokens,
    }


def _input_item(turn: Turn) -> dict[str, Any]:
    if turn.role == "user":
        return {"type": "message", "role": "user", "content": turn.content}
    # llama.cpp accepts past answers in this long form only; OpenAI accepts both.
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": turn.content}],
    }


async def _read_answer(
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
    # The SDK sends the request and raises its exceptions for error answers. Its objects for each event would
    # cost a worker most of its time while many answers stream, so events are parsed from the bytes.
    stream = await client.post(
        path, cast_to=object, body=request, stream=True, stream_cls=AsyncStream[object]
    )
    draft.started = True
    parser = SSEParser()
    # Leaving this block, also by cancellation, closes the connection unless everything was read.
    async with stream, aclosing(stream.response.aiter_bytes()) as chunks:
        try:
            async with asyncio.timeout(None) as tail:
                async for chunk in chunks:
                    for event in parser.feed(chunk):
                        if text := read(draft, event):
                            on_text(text)
                    if draft.ended and tail.when() is None:
                        tail.reschedule(asyncio.get_running_loop().time() + TAIL_TIMEOUT)
                    if not draft.ended and len(chunk) < FULL_CHUNK:
                        await pace()
        except Exception:
            if not draft.ended:  # a failure after the end changes nothing
                raise
