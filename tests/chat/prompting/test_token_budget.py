"""What of a conversation the model is given."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chat.prompting.token_budget import Turn, estimate_tokens, fit, turn_cost
from queueing.api import Permanent

INSTRUCTIONS = "Be kind and brief."

turns_of_one_or_many = st.lists(
    st.builds(Turn, role=st.sampled_from(["user", "assistant"]), content=st.text(max_size=60)), max_size=12
).map(lambda turns: [*turns, Turn("user", "And then?")])
budgets = st.integers(min_value=60, max_value=600)


def said(turns: list[Turn]) -> str:
    return "\n\n".join(turn.content for turn in turns)


def conversation(length: int, words: int = 10) -> list[Turn]:
    """User and assistant in turn, ending with the user."""
    roles = ["user", "assistant"] * length
    return [Turn(role, f"{i} " + "word " * words) for i, role in enumerate(roles)][: 2 * length - 1]


@given(turns_of_one_or_many, budgets)
def test_what_is_kept_never_costs_more_than_the_room_there_is(turns, context):
    kept = fit(INSTRUCTIONS, turns, context_tokens=context, max_output_tokens=20)

    cost = turn_cost(INSTRUCTIONS) + sum(turn_cost(turn.content) for turn in kept)
    assert cost + 20 <= context


@given(turns_of_one_or_many, budgets)
def test_what_is_kept_is_the_end_of_the_conversation(turns, context):
    kept = fit(INSTRUCTIONS, turns, context_tokens=context, max_output_tokens=20)

    assert said(turns).endswith(said(kept))
    assert kept[-1].content.endswith("And then?")


@given(turns_of_one_or_many, budgets)
def test_what_is_kept_starts_with_the_user_and_alternates(turns, context):
    kept = fit(INSTRUCTIONS, turns, context_tokens=context, max_output_tokens=20)

    assert [turn.role for turn in kept] == (["user", "assistant"] * len(kept))[: len(kept)]
    assert kept[-1].role == "user"


@given(turns_of_one_or_many, budgets, st.integers(min_value=0, max_value=300))
def test_more_room_never_keeps_less(turns, context, more):
    kept = fit(INSTRUCTIONS, turns, context_tokens=context, max_output_tokens=20)
    kept_with_more = fit(INSTRUCTIONS, turns, context_tokens=context + more, max_output_tokens=20)

    assert said(kept_with_more).endswith(said(kept))


def test_a_conversation_that_fits_is_left_as_it_is():
    turns = conversation(5)

    assert fit(INSTRUCTIONS, turns, context_tokens=10_000, max_output_tokens=500) == turns


def test_an_answer_without_its_question_is_cut_too():
    turns = conversation(3)
    room = turn_cost(INSTRUCTIONS) + sum(turn_cost(turn.content) for turn in turns[1:])

    kept = fit(INSTRUCTIONS, turns, context_tokens=room + 20, max_output_tokens=20)

    assert kept == turns[2:]


def test_questions_that_got_no_answer_become_one_turn():
    turns = [Turn("user", "I am Ada."), Turn("user", "Who am I?")]

    assert fit(INSTRUCTIONS, turns, context_tokens=1000, max_output_tokens=20) == [
        Turn("user", "I am Ada.\n\nWho am I?")
    ]


@pytest.mark.parametrize(("letter", "room"), [("a", "2,340"), ("é", "780"), ("字", "520"), ("🙂", "390")])
def test_a_message_that_does_not_fit_alone_is_refused_in_plain_words(letter, room):
    with pytest.raises(Permanent, match="too long for the companion") as caught:
        fit(INSTRUCTIONS, [Turn("user", letter * 5000)], context_tokens=1000, max_output_tokens=200)

    assert caught.value.code == "too_long"
    assert f"{room} characters" in caught.value.message


def test_a_message_shortened_as_asked_fits():
    turns = [Turn("user", "word " * 1000)]
    with pytest.raises(Permanent) as caught:
        fit(INSTRUCTIONS, turns, context_tokens=1000, max_output_tokens=200)
    room = int("".join(filter(str.isdigit, caught.value.message)))

    assert fit(
        INSTRUCTIONS, [Turn("user", turns[0].content[:room])], context_tokens=1000, max_output_tokens=200
    )


def test_instructions_that_leave_no_room_are_the_operators_business():
    with pytest.raises(Permanent) as caught:
        fit("word " * 1000, [Turn("user", "Hi")], context_tokens=1000, max_output_tokens=200)

    assert caught.value.code == "not_configured"


@pytest.mark.parametrize("turns", [[], [Turn("user", "Hi"), Turn("assistant", "Hello")]])
def test_a_conversation_that_does_not_end_with_the_user_is_a_bug(turns):
    with pytest.raises(ValueError, match="last turn"):
        fit(INSTRUCTIONS, turns, context_tokens=1000, max_output_tokens=20)


@given(st.text(), st.text())
def test_the_estimate_grows_with_the_text(one, other):
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
def test_the_estimate_knows_scripts_apart(text, tokens):
    assert estimate_tokens(text) == tokens
