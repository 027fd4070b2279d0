"""What of the model's words becomes a title."""

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
def test_what_stands_around_a_title_is_left_out(said, title):
    assert clean_title(said) == title


def test_a_long_title_ends_after_a_word():
    title = clean_title("word " * 20)
    assert title == "word " * 11 + "word…"
    assert len(title) <= MAX_LENGTH + 1
