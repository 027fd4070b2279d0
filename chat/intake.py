"""The entry of every message: it goes to the chat, or, if it is too long for that, to the documents.

In a long pasted text the question is the first or the last paragraph, if that ends like a question or like
an introduction ("… please:"). The rest is the document.
"""

import re

from .conversations.messages import AcceptedMessage, NewMessage
from .conversations.services import MAX_TEXT, submit_question
from .documents.services import KIND, MAX_QUESTION, AnalysisRequest, analyse_text

#: Characters from which a paragraph is no question.
_MAX_PARAGRAPH = 500
#: Characters of the space between the last paragraph and the others.
_MAX_BREAK = 100
_ENDS = ("?", "？", "؟", ":", "：")
READ_AS_DOCUMENT = "This message is too long for the chat, so it is read as a document, part by part."
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n")


def submit_message(message: NewMessage) -> AcceptedMessage:
    """Submit a message to the chat or, if it is too long, as a document. Raise as `submit_question` does."""
    if len(message.text) <= MAX_TEXT:
        return submit_question(message)
    question, document = split_question(message.text)
    request = AnalysisRequest(
        owner=message.owner,
        companion=message.companion,
        request_id=message.request_id,
        question=question,
        thread_id=message.thread_id,
        address=message.address,
    )
    return analyse_text(request, words=document, field="message")


def notice_of(accepted: AcceptedMessage) -> dict[str, str]:
    """Return the notice for a client whose message did not go into the chat."""
    return {"notice": READ_AS_DOCUMENT} if accepted.job.kind == KIND else {}


def split_question(text: str) -> tuple[str, str]:
    """Return the question in a long text, empty when there is none, and the text without it."""
    first, *rest = _PARAGRAPHS.split(text.strip(), maxsplit=1)
    if rest and _is_question(first):
        return first.strip(), rest[0]
    text = text.rstrip()
    # Only where the last paragraph can begin: a longer one is no question.
    breaks = list(_PARAGRAPHS.finditer(text, max(0, len(text) - _MAX_PARAGRAPH - _MAX_BREAK)))
    if breaks and _is_question(last := text[breaks[-1].end() :]):
        return last.strip(), text[: breaks[-1].start()]
    return "", text


def _is_question(paragraph: str) -> bool:
    return len(paragraph) <= min(_MAX_PARAGRAPH, MAX_QUESTION) and paragraph.strip().endswith(_ENDS)
