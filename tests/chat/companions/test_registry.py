"""The companions and their lookup."""

import re

import pytest

from chat.companions.registry import COMPANIONS, companion_named
from chat.errors import InvalidInput
from chat.prompting.persona import PromptBudget
from chat.prompting.token_budget import estimate_tokens

everyone = pytest.mark.parametrize("companion", COMPANIONS.values(), ids=COMPANIONS)


def luminance(color: str) -> float:
    """Return WCAG's relative luminance of `#rrggbb`."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@everyone
def test_accent_color_has_enough_contrast(companion):
    accent = luminance(companion.color)
    assert 1.05 / (accent + 0.05) >= 4.5
    assert (accent + 0.05) / (luminance("#1a1815") + 0.05) >= 3


@everyone
def test_greeting_and_prompt_say_that_it_is_an_ai(companion):
    for text in (companion.greeting, companion.instructions, companion.brief):
        assert re.search(r"\bAI\b", text)


@everyone
def test_instructions_are_long_and_the_brief_is_short(companion):
    assert 250 <= len(companion.instructions.split()) <= 470
    assert estimate_tokens(companion.brief) < 120
    assert len(set(companion.prompts)) == 4


@everyone
def test_demo_model_gets_the_brief_and_enough_tokens(companion, settings):
    settings.DEMO_MODEL = True
    small = PromptBudget.of(companion)
    settings.DEMO_MODEL = False
    full = PromptBudget.of(companion)
    assert small.instructions == f"{companion.brief} Your name is {companion.name}."
    assert full.instructions == companion.instructions
    assert companion.name in small.introduction[-1].content
    assert full.introduction == ()
    assert companion.public()["prompts"] == list(companion.prompts)
    settings.DEMO_MODEL = True
    assert companion.public()["prompts"] == list(companion.demo_prompts)
    assert small.max_output_tokens < small.context_tokens / 2 <= 1024


@everyone
def test_public_part_has_no_instructions(companion):
    assert set(companion.public()) == {"id", "name", "tagline", "greeting", "prompts", "color"}


@pytest.mark.parametrize("name", ["asst_abc123", "pmpt_abc123"])
def test_openai_id_is_refused_with_an_explanation(name):
    with pytest.raises(InvalidInput) as caught:
        companion_named(name, field="assistantId")
    assert caught.value.field == "assistantId"
    assert "2026-08-26" in caught.value.message
    assert "corporate, travel, emotional, culture" in caught.value.message


def test_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput, match="There are: corporate"):
        companion_named("Corporate")
