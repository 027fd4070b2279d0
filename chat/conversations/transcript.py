"""A conversation as a Markdown file, to keep or to pass on."""

from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

from asgiref.sync import sync_to_async
from django.utils.text import slugify

from chat.companions.registry import name_of
from chat.markdown.standalone import standalone
from chat.models import Message, Role, Thread

from . import selectors, texts
from .pages import read_through

#: Maximum characters of the title in the file's name.
_NAME = 60


class Transcript(NamedTuple):
    """A file."""

    filename: str
    parts: AsyncIterator[str]


def transcript(*, owner: str, thread_id: UUID) -> Transcript:
    """Return the thread as a file, times in UTC. Raise `Thread.DoesNotExist`. Blocks.

    Its parts are read from the database while the file is sent.
    """
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    title = thread.title or texts.UNTITLED
    name = slugify(title, allow_unicode=True)[:_NAME].strip("-") or "conversation"
    return Transcript(f"{name}.md", _parts(thread, title))


async def _parts(thread: Thread, title: str) -> AsyncIterator[str]:
    companion = name_of(thread.companion)
    yield f"# {title}\n\n{texts.transcript_heading(companion)}\n"
    batches = read_through(thread)
    while messages := await sync_to_async(lambda: next(batches, None))():
        yield "".join(_markdown(message, companion) for message in messages)


def _markdown(message: Message, companion: str) -> str:
    """Return a message with its heading, after an empty line."""
    speaker = texts.YOU if message.role == Role.USER else companion
    about = message.attachment or {}
    document = f"*{about['name']}*" if about.get("kind") == "document" else ""
    heading = f"**{speaker}**, {message.created_at:%d %B %Y, %H:%M}"
    text = standalone(message.content)
    note = f"*{texts.INCOMPLETE}*" if message.is_incomplete else ""
    return "".join(f"\n{part}\n" for part in (heading, document, text, note) if part)
