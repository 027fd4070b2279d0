"""The question in a long text."""

import pytest

from chat.intake import split_question

WORDS = "The harbour was quiet that year.\nNobody came."


@pytest.mark.parametrize(
    ("text", "question", "words"),
    [
        (f"What was it like?\n\n{WORDS}", "What was it like?", WORDS),
        (f"Summarise this, please:\n \n{WORDS}", "Summarise this, please:", WORDS),
        (f"  \n{WORDS}\n\nWie war es？\n", "Wie war es？", f"  \n{WORDS}"),
        (f"Harbour\n\n{WORDS}", "", f"Harbour\n\n{WORDS}"),
        (WORDS, "", WORDS),
        ("Is this all one paragraph?", "", "Is this all one paragraph?"),
        (f"{'Long ' * 101}?\n\n{WORDS}", "", f"{'Long ' * 101}?\n\n{WORDS}"),
    ],
)
def test_first_or_last_paragraph_that_asks_is_the_question(text, question, words):
    assert split_question(text) == (question, words)
