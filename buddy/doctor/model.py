"""The provider of the model, with a real call: the list of models, and an answer of a few tokens."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from django.conf import settings

from chat.prompting.prompt import ModelRequest
from chat.prompting.token_budget import PromptMessage
from chat.upstream.client import Provider, client_for
from chat.upstream.draft import CallUsage
from chat.upstream.errors import as_job_error, detail_of
from chat.upstream.stream import ReplyCallbacks, stream_from
from chat.usage.prices import cost_of
from queueing.api import JobError

from .findings import OK, PROBLEM, WARNING, Finding, one_line

ADVICE = "Check OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL, and the network to the provider."
#: Error code -> what to do.
_ADVICE = {
    "no_quota": "Pay the provider's bill, or raise the limit of the key.",
    "not_configured": "Correct OPENAI_API_KEY: the provider refuses it. The words of the provider are above.",
    "no_model": "Set OPENAI_MODEL to a model of the list.",
    "provider_unreachable": "Check OPENAI_BASE_URL and the network to it: firewall, DNS, proxy.",
}
#: Tokens of the answer: enough for a model that thinks a little.
_TOKENS = 200
_SHOWN = 8


def examine_for_free() -> Iterator[Finding]:
    """Yield whether a model is configured, and is in the list of the provider."""
    yield from _examine(_listed)


def examine() -> Iterator[Finding]:
    """Yield the same, and whether each model answers; what that cost."""
    yield from _examine(_listed_and_asked)


def _examine(how: Callable[[Provider], Coroutine[Any, Any, list[Finding]]]) -> Iterator[Finding]:
    try:
        providers = list(_providers())
    except JobError:
        advice = "Set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server."
        yield Finding(PROBLEM, "no model is configured", advice)
        return
    for provider in providers:
        yield from asyncio.run(how(provider))


def _providers() -> Iterator[Provider]:
    if not settings.OPENAI_MODEL and settings.OPENAI_BASE_URL:
        # Without a name its list can still be read.
        key = settings.OPENAI_API_KEY or "none"
        url = settings.OPENAI_BASE_URL
        yield Provider(base_url=url, api_key=key, model="", is_openai=False, responses=False)
        return
    yield Provider.from_settings()
    if fallback := Provider.fallback():
        yield fallback


async def _listed_and_asked(provider: Provider) -> list[Finding]:
    found = await _listed(provider)
    return [*found, await _asked(provider)] if provider.model else found


async def _listed(provider: Provider) -> list[Finding]:
    """Return what the list of models says. Many servers have none: that is not wrong."""
    try:
        client = await client_for(provider)
        models = sorted([model.id async for model in client.models.list()])
    except Exception as exc:
        error = as_job_error(exc)
        if error.code == "provider_unreachable":
            text = f"{provider.base_url} does not answer: {detail_of(exc)}"
            return [Finding(PROBLEM, one_line(text), _ADVICE[error.code])]
        return [Finding(OK, f"{provider.base_url} gives no list of models")]
    if not provider.model:
        return [Finding(PROBLEM, "OPENAI_MODEL is empty", f"Set it to one of: {_some(models)}")]
    if provider.model not in models:
        text = f"{provider.model} is not in the list of {provider.base_url}"
        return [Finding(WARNING, text, f"It has: {_some(models)}")]
    return [Finding(OK, f"{provider.base_url} has {provider.model}")]


def _some(models: list[str]) -> str:
    more = f", and {len(models) - _SHOWN} more" if len(models) > _SHOWN else ""
    return one_line(", ".join(models[:_SHOWN]) or "no model") + more


async def _asked(provider: Provider) -> Finding:
    """Return whether the model answers a question. The request is that of a reply."""
    used: list[CallUsage] = []
    request = ModelRequest(
        instructions="Answer with one word.",
        messages=[PromptMessage(role="user", content="Say: ok")],
        max_output_tokens=_TOKENS,
        owner="doctor",
    )
    try:
        await stream_from(provider, request, ReplyCallbacks(on_usage=used.append))
    except JobError as error:
        reason = detail_of(error.__cause__) if isinstance(error.__cause__, Exception) else error
        text = f"{provider.model} does not answer ({error.code}): {reason}"
        return Finding(PROBLEM, one_line(text), _ADVICE.get(error.code, ADVICE))
    return Finding(OK, f"{provider.model} answers ({_cost(used)})")


def _cost(used: list[CallUsage]) -> str:
    tokens = sum(call.input_tokens + call.output_tokens for call in used)
    costs = [
        cost_of(call.model, input_tokens=call.input_tokens, output_tokens=call.output_tokens) for call in used
    ]
    known = [cost for cost in costs if cost is not None]
    if not known:
        return f"{tokens} tokens"
    return f"{tokens} tokens, {sum(known) / 1e6:.6f} {settings.PRICE_CURRENCY}"
