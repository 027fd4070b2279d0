"""System checks of the model's settings: `manage.py check` and every start run them."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

APIS = ("auto", "responses", "chat")


@register()
def check_model_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report OPENAI_* settings that cannot work, with what to write instead."""
    return [*_check_api(), *_check_urls(), *_check_model(), *_check_thinking()]


def _check_api() -> list[CheckMessage]:
    if settings.OPENAI_API in APIS:
        return []
    return [
        Error(
            f"OPENAI_API is {settings.OPENAI_API!r}.",
            hint=f"Use one of {', '.join(APIS)}; auto suits OpenAI and compatible servers alike.",
            id="chat.E001",
        )
    ]


def _check_thinking() -> list[CheckMessage]:
    """Report room for thoughts that leaves no room for a conversation."""
    return [
        Error(
            f"The room for thoughts of {companion} is {tokens} tokens.",
            hint=f"Use 0 to {settings.OPENAI_CONTEXT_TOKENS // 2}: OPENAI_THINKING_TOKENS and "
            f"OPENAI_{companion.upper()}_THINKING_TOKENS are a part of OPENAI_CONTEXT_TOKENS.",
            id="chat.E005",
        )
        for companion, tokens in settings.THINKING_TOKENS.items()
        if not 0 <= tokens <= settings.OPENAI_CONTEXT_TOKENS // 2
    ]


def _check_urls() -> list[CheckMessage]:
    return [
        Error(
            f"{name} is {value!r}, which is not an HTTP address.",
            hint="Write it with http:// or https:// and the path, such as http://localhost:11434/v1.",
            id="chat.E002",
        )
        for name in ("OPENAI_BASE_URL", "OPENAI_FALLBACK_BASE_URL", "OPENAI_TRANSCRIPTION_BASE_URL")
        if (value := getattr(settings, name)) and not is_http_url(value)
    ]


def _check_model() -> list[CheckMessage]:
    configured = settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL
    if configured and not settings.OPENAI_MODEL:
        hint = "Set it to the name of a model that your provider offers for your key."
        return [Error("OPENAI_MODEL is empty.", hint=hint, id="chat.E003")]
    if not configured and not settings.DEBUG and not settings.DEMO_MODEL:
        return [
            Warning(
                "No model is configured: every reply will fail.",
                hint="Set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server; "
                "`make run` brings a small local one.",
                id="chat.W001",
            )
        ]
    return []


@register()
def check_fallback(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a fallback model that can never help."""
    model, base_url = settings.OPENAI_FALLBACK_MODEL, settings.OPENAI_FALLBACK_BASE_URL
    if base_url and not model:
        problem, hint = "OPENAI_FALLBACK_BASE_URL is set but not used.", "Also set OPENAI_FALLBACK_MODEL."
    elif model and model == settings.OPENAI_MODEL and base_url in ("", settings.OPENAI_BASE_URL):
        problem, hint = "The fallback model is the same as the first model.", "Name another model."
    else:
        return []
    return [Warning(problem, hint=hint, id="chat.W003")]


@register()
def check_assistant_ids(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report ids of OpenAI assistants, which no longer have any effect."""
    return [
        Warning(
            f"OPENAI_{companion.upper()}_ASSISTANT_ID is set to {value[:5]}… but not used.",
            hint="OpenAI's Assistants ended on 2026-08-26, and its dashboard Prompts end on 2026-11-30. "
            "Companions are profiles in this code now: put your instructions into "
            f"chat/companions/{companion}.py, and remove the variable.",
            id="chat.W002",
        )
        for companion, value in settings.OPENAI_ASSISTANT_IDS.items()
        if value
    ]


def is_http_url(value: str) -> bool:
    """Return True for an http or https URL with a host and, if any, a numeric port."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError when it is not a number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
