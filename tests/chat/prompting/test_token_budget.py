"""The part of a conversation that the model gets."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chat.prompting.persona import PromptBudget
from chat.prompting.token_budget import PromptMessage, estimate_tokens, fit, message_cost
from queueing.api import Permanent

INSTRUCTIONS = "Be kind and brief."

messages_of_any_role = st.builds(
    PromptMessage, role=st.sampled_from(["user", "assistant"]), content=st.text(max_size=60)
)
conversations = st.lists(messages_of_any_role, max_size=12).map(
    lambda messages: [*messages, PromptMessage("user", "And then?")]
)
budgets = st.integers(min_value=60, max_value=600)


def fitting(
    messages: list[PromptMessage],
    *,
    context_tokens: int,
    max_output_tokens: int,
    instructions: str = INSTRUCTIONS,
) -> list[PromptMessage]:
    budget = PromptBudget(
        instructions=instructions, context_tokens=context_tokens, max_output_tokens=max_output_tokens
    )
    return fit(messages, budget.conversation_tokens)


def said(messages: list[PromptMessage]) -> str:
    return "\n\n".join(message.content for message in messages)


def conversation(length: int, words: int = 10) -> list[PromptMessage]:
    """Return alternating messages, ending with the user's."""
    roles = ["user", "assistant"] * length
    return [PromptMessage(role, f"{i} " + "word " * words) for i, role in enumerate(roles)][: 2 * length - 1]


@given(conversations, budgets)
def test_fitting_messages_never_exceed_the_budget(messages, context):
    kept = fitting(messages, context_tokens=context, max_output_tokens=20)

    cost = message_cost(INSTRUCTIONS) + sum(message_cost(message.content) for message in kept)
    assert cost + 20 <= context


@given(conversations, budgets)
def test_fitting_messages_are_the_end_of_the_conversation(messages, context):
    kept = fitting(messages, context_tokens=context, max_output_tokens=20)

    assert said(messages).endswith(said(kept))
    assert kept[-1].content.endswith("And then?")


@given(conversations, budgets)
def test_fitting_messages_start_with_the_user_and_alternate(messages, context):
    kept = fitting(messages, context_tokens=context, max_output_tokens=20)

    assert [message.role for message in kept] == (["user", "assistant"] * len(kept))[: len(kept)]
    assert kept[-1].role == "user"


@given(conversations, budgets, st.integers(min_value=0, max_value=300))
def test_larger_budget_never_keeps_less(messages, context, more):
    kept = fitting(messages, context_tokens=context, max_output_tokens=20)
    kept_with_more = fitting(messages, context_tokens=context + more, max_output_tokens=20)

    assert said(kept_with_more).endswith(said(kept))


def test_conversation_that_fits_is_unchanged():
    messages = conversation(5)

    assert fitting(messages, context_tokens=10_000, max_output_tokens=500) == messages


def test_answer_without_its_question_is_cut():
    messages = conversation(3)
    room = message_cost(INSTRUCTIONS) + sum(message_cost(message.content) for message in messages[1:])

    kept = fitting(messages, context_tokens=room + 20, max_output_tokens=20)

    assert kept == messages[2:]


def test_unanswered_questions_are_joined():
    messages = [PromptMessage("user", "I am Ada."), PromptMessage("user", "Who am I?")]

    assert fitting(messages, context_tokens=1000, max_output_tokens=20) == [
        PromptMessage("user", "I am Ada.\n\nWho am I?")
    ]


@pytest.mark.parametrize(("letter", "room"), [("a", "2,340"), ("é", "780"), ("字", "520"), ("🙂", "390")])
def test_message_that_does_not_fit_alone_is_refused(letter, room):
    with pytest.raises(Permanent, match="too long for the companion") as caught:
        fitting([PromptMessage("user", letter * 5000)], context_tokens=1000, max_output_tokens=200)

    assert caught.value.code == "too_long"
    assert f"{room} characters" in caught.value.message


def test_message_shortened_to_the_named_length_fits():
    messages = [PromptMessage("user", "word " * 1000)]
    with pytest.raises(Permanent) as caught:
        fitting(messages, context_tokens=1000, max_output_tokens=200)
    room = int("".join(filter(str.isdigit, caught.value.message)))

    assert fitting(
        [PromptMessage("user", messages[0].content[:room])],
        context_tokens=1000,
        max_output_tokens=200,
    )


def test_instructions_without_room_raise_not_configured():
    with pytest.raises(Permanent) as caught:
        fitting(
            [PromptMessage("user", "Hi")],
            context_tokens=1000,
            max_output_tokens=200,
            instructions="word " * 1000,
        )

    assert caught.value.code == "not_configured"


@pytest.mark.parametrize("messages", [[], [PromptMessage("user", "Hi"), PromptMessage("assistant", "Hello")]])
def test_conversation_not_ending_with_the_user_raises_value_error(messages):
    with pytest.raises(ValueError, match="last message"):
        fitting(messages, context_tokens=1000, max_output_tokens=20)


@given(st.text(), st.text())
def test_token_estimate_grows_with_the_text(one, other):
    assume(other)

    assert estimate_tokens(one) <= estimate_tokens(one + other) <= estimate_tokens(one) + 2 * len(other)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("six letters!", 5),
        ("2026", 4),
        ("été", 3),
        ("очередь", 7),
        ("你好", 3),
        ("🙂", 2),
        ("\ud83d", 1),
    ],
)
def test_token_estimate_depends_on_the_script(text, tokens):
    assert estimate_tokens(text) == tokens
