"""Send a request to the model and read its answer as it arrives."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx2
from django.utils.crypto import salted_hmac

from chat.prompting.prompt import ModelRequest
from chat.prompting.token_budget import PromptMessage
from chat.upstream.client import CONNECT_TIMEOUT, Provider, client_for
from chat.upstream.errors import after_first_word, as_job_error

from .draft import CallUsage, Draft, ModelReply
from .parse import read_chunk, read_event
from .sse_parser import SSEParser
from .thoughts import STARTS_INSIDE, ThoughtFilter, remember

if TYPE_CHECKING:
    from openai import AsyncOpenAI

logger = logging.getLogger(__name__)

#: Seconds to continue reading after the answer's end, for the token counts and so that the connection can
#: be used again. A provider that hangs there delays the reply by no more than this.
TAIL_TIMEOUT = 5.0
#: Seconds without a byte from a provider whose model was given room for thoughts.
THINKING_TIMEOUT = 240.0
#: Bytes that the transport returns at a time. After a chunk of this size more bytes are ready to be read.
FULL_CHUNK = 16 * 1024
#: What a provider says of a parameter that it does not take.
_EFFORT_PATTERN = re.compile(r"reasoning|effort", re.IGNORECASE)
#: The models (address and name) that take no reasoning effort, as far as this process has seen.
_WITHOUT_EFFORT: set[tuple[str, str]] = set()


async def no_pause() -> None:
    """Return at once: everything is read as it arrives."""


@dataclass(frozen=True, kw_only=True)
class ReplyCallbacks:
    """What is called while an answer arrives."""

    on_text: Callable[[str], None] = lambda text: None
    """Called with each piece of text. The pieces together are the reply's text, except for a model whose
    thoughts have only a closing tag (`thoughts.py`)."""
    on_thought: Callable[[str], None] = lambda text: None
    """Called with each piece of the model's thoughts; an empty one says that the model thinks unseen."""
    pace: Callable[[], Awaitable[None]] = no_pause
    """Awaited before the next read, after all bytes that have arrived are parsed."""
    on_usage: Callable[[CallUsage], None] = lambda usage: None
    """Called once with the tokens used, also for a call that failed or was cancelled, but not when the
    provider refused the request or was not reached."""


async def stream_from(provider: Provider, request: ModelRequest, callbacks: ReplyCallbacks) -> ModelReply:
    """Return the answer of `provider`'s model to `request`, calling back while it arrives.

    Cancelling closes the provider's connection at once. Raises `JobError` in every case that is not an
    answer.
    """
    model = (provider.base_url, provider.model)
    draft = Draft(
        model=provider.model,
        estimate_input=lambda: request.estimated_input_tokens,
        on_text=callbacks.on_text,
        on_thought=callbacks.on_thought,
        thought_filter=ThoughtFilter(starts_inside=model in STARTS_INSIDE),
    )
    try:
        await _ask(provider, request, draft, callbacks)
        reply = draft.finished()
    except asyncio.CancelledError:
        callbacks.on_usage(draft.usage("cancelled"))
        raise
    except Exception as exc:
        error = as_job_error(exc)
        if draft.pieces or draft.thoughts:
            error = after_first_word(error)
        if draft.started or error.code == "provider_timeout":
            callbacks.on_usage(draft.usage("failed"))
        if error is exc:
            raise
        raise error from exc
    remember(model, starts_inside=draft.starts_inside)
    callbacks.on_usage(draft.usage("length" if reply.truncated else "stop"))
    return reply


async def _ask(provider: Provider, request: ModelRequest, draft: Draft, callbacks: ReplyCallbacks) -> None:
    """Send the request and read the answer; without an effort that the model does not take."""
    client, model = await client_for(provider), (provider.base_url, provider.model)
    if model in _WITHOUT_EFFORT:
        request = replace(request, effort="")
    try:
        await _read_answer(client, provider, request, draft, callbacks)
    except Exception as exc:
        refuses = getattr(exc, "status_code", 0) in (400, 422) and _EFFORT_PATTERN.search(str(exc))
        if not (request.effort and refuses):
            raise
        logger.warning("%s takes no reasoning effort %r: it is left out", provider.model, request.effort)
        _WITHOUT_EFFORT.add(model)
        await _read_answer(client, provider, replace(request, effort=""), draft, callbacks)


def _body(provider: Provider, request: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"model": provider.model, "stream": True}
    if provider.is_openai:
        body["safety_identifier"] = salted_hmac(__name__, request.owner, algorithm="sha256").hexdigest()
        body["prompt_cache_key"] = request.thread_id
    return body | _prompt_fields(provider, request)


def _prompt_fields(provider: Provider, request: ModelRequest) -> dict[str, Any]:
    """Return the fields of the body that differ between the two APIs."""
    if provider.responses:
        return {
            "instructions": request.instructions,
            "input": [_input_item(message) for message in request.messages],
            "max_output_tokens": request.max_tokens,
            "store": False,
        } | ({"reasoning": {"effort": request.effort}} if request.effort else {})
    # OpenAI has renamed the limit; other servers know the old name.
    limit = "max_completion_tokens" if provider.is_openai else "max_tokens"
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    return {
        "messages": [{"role": "system", "content": request.instructions}, *messages],
        "stream_options": {"include_usage": True},
        limit: request.max_tokens,
    } | ({"reasoning_effort": request.effort} if request.effort else {})


def _input_item(message: PromptMessage) -> dict[str, Any]:
    if message.role == "user":
        return {"type": "message", "role": "user", "content": message.content}
    # llama.cpp accepts past answers in this long form only; OpenAI accepts both.
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": message.content}],
    }


def _options(request: ModelRequest) -> Any:
    """Return the options of the SDK: a model that thinks unseen is silent for longer."""
    if not request.thinking_tokens:
        return {}
    return {"timeout": httpx2.Timeout(THINKING_TIMEOUT, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT)}


async def _read_answer(
    client: "AsyncOpenAI",
    provider: Provider,
    request: ModelRequest,
    draft: Draft,
    callbacks: ReplyCallbacks,
) -> None:
    from openai import AsyncStream  # see __init__.py

    path = "/responses" if provider.responses else "/chat/completions"
    read: Callable[[Draft, Any], None] = read_event if provider.responses else read_chunk
    # The SDK sends the request and raises its exceptions for error answers. Its objects for each event would
    # cost a worker most of its time while many answers stream, so events are parsed from the bytes.
    stream = await client.post(
        path,
        cast_to=object,
        body=_body(provider, request),
        options=_options(request),
        stream=True,
        stream_cls=AsyncStream[object],
    )
    draft.started = True
    parser = SSEParser()
    # Leaving this block, also by cancellation, closes the connection unless everything was read.
    async with stream, aclosing(stream.response.aiter_bytes()) as chunks:
        try:
            async with asyncio.timeout(None) as tail:
                async for chunk in chunks:
                    for event in parser.feed(chunk):
                        read(draft, event)
                    draft.ended = draft.ended or parser.is_done
                    if draft.ended and tail.when() is None:
                        tail.reschedule(asyncio.get_running_loop().time() + TAIL_TIMEOUT)
                    if not draft.ended and len(chunk) < FULL_CHUNK:
                        await callbacks.pace()
            _finish(parser, draft, read)
        except httpx2.RequestError:
            with suppress(ValueError):  # what is missing was cut off
                _finish(parser, draft, read)
            if not draft.ended:
                raise
        except Exception:
            if not draft.ended:  # a failure after the end changes nothing
                raise


def _finish(parser: SSEParser, draft: Draft, read: Callable[[Draft, Any], None]) -> None:
    """Read what the end of the body completes."""
    for event in parser.finish():
        read(draft, event)
    draft.ended = draft.ended or parser.is_done or parser.is_document
