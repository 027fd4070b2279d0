"""Everything an owner has, as one ZIP that is written while it is sent: little of it is ever in memory."""

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections
from django.utils import timezone

from chat import personal_data
from chat.models import Message, Thread

#: Rows read at a time, and bytes sent at a time (about).
_ROWS = 200
_PIECE = 64 * 1024

_README = """\
What you have at Buddy Companion, as of {at}.

threads/        your conversations: for reading (.md) and for programs (.json)
account.json    your account, if you have one
*.jsonl         what else is kept about you, one JSON object a line

Answers were written by an AI and can be wrong.
"""


class _Pipe(io.RawIOBase):
    """What the ZIP is written into; cannot seek, so that nothing need be kept."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        self.waiting += len(self._pieces[-1])
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._pieces, self.waiting = b"".join(self._pieces), [], 0
        return taken


def export(owner: str, account: dict[str, Any]) -> Generator[bytes, None, None]:
    """The ZIP, piece by piece. Blocks, and must be read in one thread."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, lines in _entries(owner, account):
            with archive.open(name, "w", force_zip64=True) as entry:
                for line in lines:
                    entry.write(line.encode(errors="replace"))
                    if pipe.waiting >= _PIECE:
                        yield pipe.take()
    yield pipe.take()


async def sent(owner: str, account: dict[str, Any]) -> AsyncIterator[bytes]:
    """`export`, made in a thread of its own as fast as it is read."""
    loop, pieces = asyncio.get_running_loop(), export(owner, account)
    with ThreadPoolExecutor(1, thread_name_prefix="export") as thread:
        try:
            while piece := await loop.run_in_executor(thread, next, pieces, b""):
                yield piece
        finally:
            await loop.run_in_executor(thread, pieces.close)
            await loop.run_in_executor(thread, connections.close_all)  # that thread's own


Entry = tuple[str, Iterable[str]]


def _entries(owner: str, account: dict[str, Any]) -> Iterator[Entry]:
    yield "README.txt", [_README.format(at=timezone.now().isoformat(timespec="seconds"))]
    yield "account.json", [_json(account)]
    for thread in Thread.objects.filter(owner=owner).order_by("id").iterator(_ROWS):
        name = f"threads/{thread.created_at:%Y-%m-%d} {_file_name(thread.title)} {thread.id.hex[-8:]}"
        yield f"{name}.md", _markdown(thread)
        yield f"{name}.json", _thread_json(thread)
    for belonging in personal_data.belongings():
        if belonging.model and belonging.export:
            yield f"{belonging.name}.jsonl", _lines(belonging, owner)


def _file_name(title: str) -> str:
    """Letters, digits and spaces of the title: what every file system takes."""
    return " ".join(re.sub(r"[^\w\s-]", " ", title).split())[:60].strip() or "untitled"


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n"


def _said(thread: Thread) -> Iterator[Message]:
    return Message.objects.filter(thread=thread).order_by("id").iterator(_ROWS)


def _markdown(thread: Thread) -> Iterator[str]:
    begun = f"{thread.created_at:%Y-%m-%d %H:%M} UTC"
    yield f"# {thread.title}\n\nWith the {thread.companion} companion, an AI. Begun {begun}.\n"
    for message in _said(thread):
        who = "You" if message.role == "user" else thread.companion.capitalize()
        file = (
            f"\n\n*{message.attachment['kind']}: {message.attachment.get('name', '')}*"
            if message.attachment
            else ""
        )
        yield f"\n---\n\n**{who}**, {message.created_at:%Y-%m-%d %H:%M}{file}\n\n{message.content}\n"


def _thread_json(thread: Thread) -> Iterator[str]:
    about = {
        "id": thread.id.hex,
        "title": thread.title,
        "companion": thread.companion,
        "createdAt": thread.created_at,
        "updatedAt": thread.updated_at,
        "summary": thread.summary,
    }
    yield _json(about).rstrip("}\n") + ',\n "messages": ['
    for number, message in enumerate(_said(thread)):
        said = {
            "id": message.id.hex,
            "role": message.role,
            "content": message.content,
            "createdAt": message.created_at,
            "attachment": message.attachment,
        }
        yield (",\n" if number else "\n") + _json(said).rstrip()
    yield "\n]}\n"


def _lines(belonging: personal_data.Belonging, owner: str) -> Iterator[str]:
    assert belonging.model is not None
    assert belonging.export is not None
    for row in (
        belonging.model._default_manager.filter(**{belonging.field: owner}).order_by("pk").iterator(_ROWS)
    ):
        yield json.dumps(belonging.export(row), ensure_ascii=False, default=str) + "\n"
