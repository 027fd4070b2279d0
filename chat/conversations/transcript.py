"""A conversation as a Markdown file, to keep or to pass on."""

from typing import NamedTuple
from uuid import UUID

from django.utils.text import slugify

from chat.companions.registry import COMPANIONS
from chat.models import Role

from . import selectors, texts

#: Maximum characters of the title in the file's name.
_NAME = 60


class Transcript(NamedTuple):
    """A file."""

    filename: str
    markdown: str


def transcript(*, owner: str, thread_id: UUID) -> Transcript:
    """Return the thread as a file, times in UTC. Raise `Thread.DoesNotExist`. Blocks."""
    thread = selectors.thread(owner=owner, thread_id=thread_id)
    companion = COMPANIONS[thread.companion].name
    title = thread.title or texts.UNTITLED
    parts = [f"# {title}", texts.transcript_heading(companion)]
    for message in thread.messages.all():
        speaker = texts.YOU if message.role == Role.USER else companion
        about = message.attachment or {}
        document = f"*{about['name']}*" if about.get("kind") == "document" else ""
        heading = f"**{speaker}**, {message.created_at:%d %B %Y, %H:%M}"
        note = f"*{texts.INCOMPLETE}*" if message.is_incomplete else ""
        parts += filter(None, [heading, document, message.content, note])
    name = slugify(title, allow_unicode=True)[:_NAME].strip("-") or "conversation"
    return Transcript(f"{name}.md", "\n\n".join(parts) + "\n")
