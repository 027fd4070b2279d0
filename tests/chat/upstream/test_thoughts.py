"""Thoughts in tags, separated from the answer (K8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.upstream.thoughts import ThoughtFilter, without_thoughts


def separate(*pieces: str, starts_inside: bool = False, finish: bool = True) -> tuple[str, str]:
    """Return the thoughts and the text of an answer that arrives in `pieces`."""
    found = {"thoughts": "", "text": ""}
    each = ThoughtFilter(starts_inside=starts_inside)
    parts = [part for piece in pieces for part in each.feed(piece)]
    for kind, value in parts + (list(each.finish()) if finish else []):
        found[kind] += value
    return found["thoughts"], found["text"]


CASES = [
    ("<think>Hm.</think>Yes.", "Hm.", "Yes."),
    ("\n <think>\nHm.\n</think>\n\nYes.\n", "\nHm.\n", "Yes.\n"),
    ("<THINK>Hm.</Think>Yes.", "Hm.", "Yes."),
    ("<thinking>Hm, a < b.</thinking> Yes.", "Hm, a < b.", "Yes."),
    ("[THINK]Hm.[/THINK]Yes.", "Hm.", "Yes."),
    ("<think></think>Yes.", "", "Yes."),
    ("<think>One.</think>\n<think>Two.</think>Yes.", "One.Two.", "Yes."),
    ("<think>Is İstanbul ß?</think>Yes.", "Is İstanbul ß?", "Yes."),
    ("<think>It has </thin and </tho.</think>Yes.", "It has </thin and </tho.", "Yes."),
    ("</think>\n\nYes.", "", "Yes."),
    ("Yes.", "", "Yes."),
    (" \n Yes.", "", " \n Yes."),
    ("<thi", "", "<thi"),
    ("<this> is no tag", "", "<this> is no tag"),
    ("Use <think>…</think> for that.", "", "Use <think>…</think> for that."),
    ("`<think>` begins, `</think>` ends it.", "", "`<think>` begins, `</think>` ends it."),
    ("```\n<think>a</think>\n```", "", "```\n<think>a</think>\n```"),
    ("<think>Hm.</think>Write <think>this</think>.", "Hm.", "Write <think>this</think>."),
    ("", "", ""),
]


@pytest.mark.parametrize(("answer", "thoughts", "text"), CASES)
def test_tags_at_the_start_alone_hold_thoughts(answer, thoughts, text):
    assert separate(answer) == (thoughts, text)


@pytest.mark.parametrize(("answer", "thoughts", "text"), CASES)
@given(data=st.data())
def test_tags_cut_anywhere_are_found(answer, thoughts, text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    pieces = [answer[i:j] for i, j in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    assert separate(*pieces) == (thoughts, text)


def test_tag_that_is_never_closed_holds_the_answer():
    assert separate("<think>The answer ", "is 7.</thi")[1] == "The answer is 7.</thi"
    assert separate("<think>The answer ", "is 7.", finish=False) == ("The answer is 7.", "")


def test_thoughts_without_an_opening_tag_are_held_back_for_a_known_model():
    assert separate("Let me ", "see.\n</th", "ink>\n\nSeven.", starts_inside=True) == (
        "Let me see.\n",
        "Seven.",
    )
    assert separate("Seven.", starts_inside=True)[1] == "Seven."


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Let me see.\n</think>\n\nSeven.", "Seven."),
        ("Let me see.\n  </THINK>  \nSeven.", "Seven."),
        ("Let me see.\n</think>", ""),
        ("The tag </think> ends it.", "The tag </think> ends it."),
        ("End it with `</think>`.\nThen go on.", "End it with `</think>`.\nThen go on."),
        ("So:\n```\nhm\n</think>\n```\nDone.", "So:\n```\nhm\n</think>\n```\nDone."),
        ("So:\n<think>\nhm\n</think>\nDone.", "So:\n<think>\nhm\n</think>\nDone."),
        ("No tags.", "No tags."),
    ],
)
def test_lone_closing_tag_on_its_line_ends_thoughts(answer, text):
    assert without_thoughts(answer) == text
