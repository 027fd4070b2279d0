"""Requests to the model, for the tests of its client."""

import asyncio
import time
from typing import Any

import pytest

from chat.prompting.prompt import ModelRequest
from chat.prompting.token_budget import PromptMessage
from chat.upstream import ModelReply, ReplyCallbacks, stream_reply
from queueing.api import Cooldown, JobError, Outage, Permanent, Retry
from tests.provider.fixture import Provider

QUESTION = "What is a queue for, really?"


async def ask_model(prompt: str = QUESTION, **changes: Any) -> ModelReply:
    """Return the reply; `changes` are fields of the request, or callbacks."""
    earlier = [PromptMessage("user", "Hi"), PromptMessage("assistant", "Hello.")]
    request: dict[str, Any] = {
        "instructions": "Be brief.",
        "messages": [*earlier, PromptMessage("user", prompt)],
        "max_output_tokens": 300,
        "thread_id": "5ca1ab1e",
        "owner": "session:ada",
    }
    callbacks = {
        name: changes.pop(name) for name in ("on_text", "on_thought", "pace", "on_usage") if name in changes
    }
    return await stream_reply(ModelRequest(**(request | changes)), ReplyCallbacks(**callbacks))


async def request_error(**changes) -> JobError:
    """Return the error of a request that fails, and check that its sentence reveals no secret."""
    with pytest.raises(JobError) as caught:
        await ask_model(**changes)
    assert type(caught.value) in (Permanent, Retry, Outage, Cooldown)
    assert caught.value.__cause__ is not caught.value
    for secret in ("sk-", "http", "127.0.0.1", "scripted"):
        assert secret not in caught.value.message
    return caught.value


async def check_cancel_disconnects(task: asyncio.Task[Any], provider: Provider) -> None:
    """Cancel a call and check that the provider sees the disconnect within a second."""
    started = time.time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await provider.eventually(lambda requests: requests[0].disconnected)
    assert provider.requests[0].disconnected - started < 1
