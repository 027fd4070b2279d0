"""Where a message goes: into the chat, or, when it is too long for one, to be read as a document.

What is asked about a long text that somebody pastes stands before it or after it: a first or last paragraph
that ends like a question or like an introduction ("… please:") is the question, and the rest is the document.
"""

import re
from uuid import UUID

from .conversations import services
from .conversations.services import Asked
from .documents.services import KIND, MAX_QUESTION, AnalysisRequest, analyse_text

#: Characters from which a paragraph is no question any more.
_LONGEST = 500
_ENDS = ("?", "？", "؟", ":", "：")
NOTICE = "This message is too long for the chat, so it is read as a document, part by part."
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n")


def ask(
    *,
    owner: str,
    companion: str,
    text: str,
    request_id: str,
    thread_id: UUID | None = None,
    address: str = "",
) -> Asked:
    """`services.ask`, and for what is too long for it, a report. Raises as that does."""
    if len(text) <= services.MAX_TEXT:
        return services.ask(
            owner=owner,
            companion=companion,
            text=text,
            request_id=request_id,
            thread_id=thread_id,
            address=address,
        )
    question, words = parted(text)
    request = AnalysisRequest(
        owner=owner,
        companion=companion,
        request_id=request_id,
        question=question,
        thread_id=thread_id,
        address=address,
    )
    return analyse_text(request, words=words, field="message")


def notice_of(asked: Asked) -> dict[str, str]:
    """What a client is told whose message did not go into the chat."""
    return {"notice": NOTICE} if asked.job.kind == KIND else {}


def parted(text: str) -> tuple[str, str]:
    """The question in a long text, empty when there is none, and the text without it."""
    first, *rest = _PARAGRAPHS.split(text.strip(), maxsplit=1)
    if rest and _is_question(first):
        return first.strip(), rest[0]
    breaks = list(_PARAGRAPHS.finditer(text.rstrip()))
    if breaks and _is_question(last := text[breaks[-1].end() :]):
        return last.strip(), text[: breaks[-1].start()]
    return "", text


def _is_question(paragraph: str) -> bool:
    return len(paragraph) <= min(_LONGEST, MAX_QUESTION) and paragraph.strip().endswith(_ENDS)
