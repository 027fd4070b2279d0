"""Texts of which nothing can be seen are no messages, titles or names (P22)."""

from uuid import UUID

import pytest

from chat.conversations.blank import is_blank
from chat.conversations.threads import rename_thread
from chat.documents.services import display_name
from chat.errors import InvalidInput
from tests.chat.questions import submit_question

BLANK = [
    "",
    " \n\t",
    "\u200b",
    "\u200d\u200c\u2060",
    "\ufeff",
    "\u00ad",
    "\u3164",
    "\u2800\u2800",
    "\u0301",
    "\u202e\u2066",
    "\ufe0f",
    "\U000e0041",
]


@pytest.mark.parametrize("text", BLANK)
def test_text_without_anything_to_see_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", ".", "🙂", "1", "é", "\u200bא", "ㄱ", "€", "क्"])
def test_text_with_something_to_see_is_not_blank(text):
    assert not is_blank(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", BLANK)
def test_blank_message_title_and_name_are_refused_or_replaced(valkey, text):
    with pytest.raises(InvalidInput):
        submit_question(owner="alice", companion="travel", text=text, request_id="r-1")
    accepted = submit_question(owner="alice", companion="travel", text="Lisbon?", request_id="r-2")
    with pytest.raises(InvalidInput):
        rename_thread(owner="alice", thread_id=UUID(accepted.thread_id), title=text)
    assert not is_blank(display_name(text))
