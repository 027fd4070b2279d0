"""Wrong settings are told at the start, with what to write instead."""

import pytest

from chat.upstream import checks


def ids(check) -> list[str]:
    return [message.id for message in check(None)]


@pytest.fixture(autouse=True)
def sound(settings):
    settings.OPENAI_API_KEY = "sk-x"
    settings.OPENAI_BASE_URL = ""
    settings.OPENAI_MODEL = "a-model"
    settings.OPENAI_API = "auto"
    settings.CLIENT_URL = "https://buddy.example.org"
    settings.OPENAI_ASSISTANT_IDS = {"corporate": "", "travel": ""}
    settings.DEMO_MODEL = settings.DEBUG = False


def test_sound_settings_pass():
    assert checks.check_model_settings(None) == []
    assert checks.check_assistant_ids(None) == []
    assert checks.check_client_url(None) == []


def test_an_unknown_api_is_named(settings):
    settings.OPENAI_API = "assistants"
    assert ids(checks.check_model_settings) == ["chat.E001"]


@pytest.mark.parametrize("url", ["localhost:11434/v1", "ftp://x/v1", "http://", "http://x:port/v1"])
def test_a_base_url_must_be_an_address(settings, url):
    settings.OPENAI_BASE_URL = url
    assert ids(checks.check_model_settings) == ["chat.E002"]


def test_the_fallbacks_address_must_be_one_too(settings):
    settings.OPENAI_FALLBACK_BASE_URL = "localhost:11434/v1"
    assert ids(checks.check_model_settings) == ["chat.E002"]


@pytest.mark.parametrize(
    ("model", "address", "said"),
    [
        ("", "", []),
        ("another", "", []),
        ("a-model", "http://elsewhere/v1", []),
        ("a-model", "", ["chat.W003"]),
        ("", "http://elsewhere/v1", ["chat.W003"]),
    ],
)
def test_a_fallback_that_could_never_help_is_told(settings, model, address, said):
    settings.OPENAI_FALLBACK_MODEL, settings.OPENAI_FALLBACK_BASE_URL = model, address
    assert ids(checks.check_fallback) == said


def test_a_key_needs_a_model(settings):
    settings.OPENAI_MODEL = ""
    assert ids(checks.check_model_settings) == ["chat.E003"]


def test_production_without_a_model_is_warned(settings):
    settings.OPENAI_API_KEY = settings.OPENAI_MODEL = ""
    assert ids(checks.check_model_settings) == ["chat.W001"]
    settings.DEMO_MODEL = True
    assert ids(checks.check_model_settings) == []


def test_an_assistants_id_is_told_what_replaces_it(settings):
    settings.OPENAI_ASSISTANT_IDS = {"corporate": "asst_SECRET", "travel": ""}
    (warning,) = checks.check_assistant_ids(None)
    assert warning.id == "chat.W002"
    assert "chat/companions/corporate.py" in warning.hint
    assert "SECRET" not in str(warning)


@pytest.mark.parametrize("url", ["buddy.example.org", "https://", "https://buddy.example.org/chat", "ws://x"])
def test_the_client_url_is_scheme_and_host(settings, url):
    settings.CLIENT_URL = url
    assert ids(checks.check_client_url) == ["chat.E004"]


@pytest.mark.parametrize("url", ["", "http://localhost:8000", "https://buddy.example.org/"])
def test_a_good_client_url_passes(settings, url):
    settings.CLIENT_URL = url
    assert ids(checks.check_client_url) == []
