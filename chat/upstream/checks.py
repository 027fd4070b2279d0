"""System checks of the model's settings: `manage.py check` and every start run them."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

APIS = ("auto", "responses", "chat")


@register()
def check_model_settings(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Everything about OPENAI_* that cannot work, and what to write instead."""
    found: list[CheckMessage] = []
    if settings.OPENAI_API not in APIS:
        found.append(
            Error(
                f"OPENAI_API is {settings.OPENAI_API!r}.",
                hint=f"Use one of {', '.join(APIS)}; auto suits OpenAI and compatible servers alike.",
                id="chat.E001",
            )
        )
    found += [
        Error(
            f"{name} is {value!r}, which is not an address.",
            hint="Write it with http:// or https:// and the path, such as http://localhost:11434/v1.",
            id="chat.E002",
        )
        for name in ("OPENAI_BASE_URL", "OPENAI_FALLBACK_BASE_URL", "OPENAI_TRANSCRIPTION_BASE_URL")
        if (value := getattr(settings, name)) and not _is_http_url(value)
    ]
    configured = settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL
    if configured and not settings.OPENAI_MODEL:
        found.append(
            Error(
                "OPENAI_MODEL is empty.",
                hint="Name the model to use: your provider lists those your key may use.",
                id="chat.E003",
            )
        )
    if not configured and not settings.DEBUG and not settings.DEMO_MODEL:
        found.append(
            Warning(
                "No model is configured: every reply will fail.",
                hint="Set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server; "
                "`make run` brings a small local one.",
                id="chat.W001",
            )
        )
    return found


@register()
def check_fallback(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A model in reserve that is none."""
    model, elsewhere = settings.OPENAI_FALLBACK_MODEL, settings.OPENAI_FALLBACK_BASE_URL
    if elsewhere and not model:
        problem, hint = "OPENAI_FALLBACK_BASE_URL is set, and is not used.", "Set OPENAI_FALLBACK_MODEL, too."
    elif model and model == settings.OPENAI_MODEL and elsewhere in ("", settings.OPENAI_BASE_URL):
        problem, hint = "The fallback is the model it should stand in for.", "Name another one."
    else:
        return []
    return [Warning(problem, hint=hint, id="chat.W003")]


@register()
def check_assistant_ids(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Ids of the reference design's assistants: they name nothing any more."""
    return [
        Warning(
            f"OPENAI_{companion.upper()}_ASSISTANT_ID is set to {value[:5]}…, and is not used.",
            hint="OpenAI's Assistants ended on 2026-08-26, and its dashboard Prompts end on 2026-11-30. "
            f"Companions are profiles in this code now: put your instructions into "
            f"chat/companions/{companion}.py, and remove the variable.",
            id="chat.W002",
        )
        for companion, value in settings.OPENAI_ASSISTANT_IDS.items()
        if value
    ]


@register()
def check_client_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """CLIENT_URL decides about HTTPS and which origins may post; half an address is worse than none."""
    url = settings.CLIENT_URL
    if not url or (_is_http_url(url) and not urlsplit(url).path.strip("/")):
        return []
    return [
        Error(
            f"CLIENT_URL is {url!r}.",
            hint="Write scheme and host as the browser shows them, and nothing after, "
            "such as https://buddy.example.org.",
            id="chat.E004",
        )
    ]


def _is_http_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError when it is not a number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
