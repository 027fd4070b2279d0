"""System checks of the model's settings: each problem is reported with what to write instead."""

import pytest

from chat.upstream import checks


def ids(check) -> list[str]:
    return [message.id for message in check(None)]


@pytest.fixture(autouse=True)
def valid_settings(settings):
    settings.OPENAI_API_KEY = "sk-x"
    settings.OPENAI_BASE_URL = ""
    settings.OPENAI_MODEL = "a-model"
    settings.OPENAI_API = "auto"
    settings.OPENAI_ASSISTANT_IDS = {"corporate": "", "travel": ""}
    settings.DEMO_MODEL = settings.DEBUG = False


def test_valid_settings_pass():
    assert checks.check_model_settings(None) == []
    assert checks.check_assistant_ids(None) == []


def test_unknown_api_is_an_error(settings):
    settings.OPENAI_API = "assistants"
    assert ids(checks.check_model_settings) == ["chat.E001"]


@pytest.mark.parametrize("tokens", [-1, 16_001])
def test_room_for_thoughts_that_cannot_be_is_an_error(settings, tokens):
    settings.OPENAI_CONTEXT_TOKENS = 32_000
    settings.THINKING_TOKENS = {"corporate": 16_000, "travel": tokens}
    assert ids(checks.check_model_settings) == ["chat.E005"]


@pytest.mark.parametrize("url", ["localhost:11434/v1", "ftp://x/v1", "http://", "http://x:port/v1"])
def test_invalid_base_url_is_an_error(settings, url):
    settings.OPENAI_BASE_URL = url
    assert ids(checks.check_model_settings) == ["chat.E002"]


def test_invalid_fallback_url_is_an_error(settings):
    settings.OPENAI_FALLBACK_BASE_URL = "localhost:11434/v1"
    assert ids(checks.check_model_settings) == ["chat.E002"]


@pytest.mark.parametrize(
    ("model", "base_url", "expected"),
    [
        ("", "", []),
        ("another", "", []),
        ("a-model", "http://elsewhere/v1", []),
        ("a-model", "", ["chat.W003"]),
        ("", "http://elsewhere/v1", ["chat.W003"]),
    ],
)
def test_useless_fallback_is_a_warning(settings, model, base_url, expected):
    settings.OPENAI_FALLBACK_MODEL, settings.OPENAI_FALLBACK_BASE_URL = model, base_url
    assert ids(checks.check_fallback) == expected


def test_key_without_model_is_an_error(settings):
    settings.OPENAI_MODEL = ""
    assert ids(checks.check_model_settings) == ["chat.E003"]


def test_production_without_model_is_a_warning(settings):
    settings.OPENAI_API_KEY = settings.OPENAI_MODEL = ""
    assert ids(checks.check_model_settings) == ["chat.W001"]
    settings.DEMO_MODEL = True
    assert ids(checks.check_model_settings) == []


def test_assistant_id_warning_names_the_replacement(settings):
    settings.OPENAI_ASSISTANT_IDS = {"corporate": "asst_SECRET", "travel": ""}
    (warning,) = checks.check_assistant_ids(None)
    assert warning.id == "chat.W002"
    assert "chat/companions/corporate.py" in warning.hint
    assert "SECRET" not in str(warning)
