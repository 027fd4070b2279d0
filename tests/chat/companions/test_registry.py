"""Who there is to talk to, and how they are found."""

import re

import pytest

from chat.companions.registry import COMPANIONS, companion_named
from chat.errors import InvalidInput
from chat.prompting.persona import PromptBudget
from chat.prompting.token_budget import estimate_tokens

everyone = pytest.mark.parametrize("companion", COMPANIONS.values(), ids=COMPANIONS)


def luminance(color: str) -> float:
    """WCAG's relative luminance of `#rrggbb`."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@everyone
def test_the_accent_can_be_read_on_light_and_seen_on_dark(companion):
    accent = luminance(companion.color)
    assert 1.05 / (accent + 0.05) >= 4.5
    assert (accent + 0.05) / (luminance("#1a1815") + 0.05) >= 3


@everyone
def test_a_companion_says_that_it_is_an_ai(companion):
    for text in (companion.greeting, companion.instructions, companion.brief):
        assert re.search(r"\bAI\b", text)


@everyone
def test_instructions_are_thorough_and_the_brief_is_brief(companion):
    assert 250 <= len(companion.instructions.split()) <= 470
    assert estimate_tokens(companion.brief) < 120
    assert len(set(companion.prompts)) == 4


@everyone
def test_the_demo_model_gets_the_brief_and_room_to_answer(companion, settings):
    settings.DEMO_MODEL = True
    small = PromptBudget.of(companion)
    settings.DEMO_MODEL = False
    full = PromptBudget.of(companion)
    assert (small.instructions, full.instructions) == (companion.brief, companion.instructions)
    assert small.max_output_tokens < small.context_tokens / 2 <= 1024


@everyone
def test_what_anybody_may_see_holds_no_instructions(companion):
    assert set(companion.public()) == {"id", "name", "tagline", "greeting", "prompts", "color"}


@pytest.mark.parametrize("name", ["asst_abc123", "pmpt_abc123"])
def test_an_openai_id_is_told_what_became_of_it(name):
    with pytest.raises(InvalidInput) as caught:
        companion_named(name, field="assistantId")
    assert caught.value.field == "assistantId"
    assert "2026-08-26" in caught.value.message
    assert "corporate, travel, emotional, culture" in caught.value.message


def test_an_unknown_name_is_told_which_there_are():
    with pytest.raises(InvalidInput, match="There are: corporate"):
        companion_named("Corporate")
