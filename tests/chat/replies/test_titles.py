"""Titles from the words of a model."""

import pytest

from chat.replies.titles import MAX_LENGTH, clean_title


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Three days in Lisbon", "Three days in Lisbon"),
        ('"Three days in Lisbon."', "Three days in Lisbon"),
        ("\n\n**Title: Three days in Lisbon**\n\nIt is about…", "Three days in Lisbon"),
        ("# Three  days\tin Lisbon", "Three days in Lisbon"),
        ("„Drei Tage in Lissabon“", "Drei Tage in Lissabon"),
        ("Titre : Trois jours à Lisbonne", "Trois jours à Lisbonne"),
        ("「リスボンの三日間」", "リスボンの三日間"),
        ("Is it safe?", "Is it safe?"),
        ("", ""),
        ("…", ""),
        ("***", ""),
        ("Here is a title for the conversation that you have shown me: " * 3, ""),
    ],
)
def test_cleaned_title_has_no_decoration(said, title):
    assert clean_title(said) == title


def test_long_title_ends_after_a_word():
    title = clean_title("word " * 20)
    assert title == "word " * 11 + "word…"
    assert len(title) <= MAX_LENGTH + 1
