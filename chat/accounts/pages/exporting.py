"""The export of an owner's data: a ZIP that is written while it is sent, so that it needs little memory.

It is read by pages of the primary key. A cursor of the database would hold a connection for the whole export,
and would not work through a pooler that gives each transaction another connection.
"""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from chat import personal_data
from chat.accounts import texts
from chat.branches.tree import Tree
from chat.models import Message, Thread
from queueing.api.sockets import in_thread

#: Rows read from the database at a time.
_BATCH_ROWS = 200
#: Bytes sent at a time, about.
_CHUNK_BYTES = 64 * 1024


class _Pipe(io.RawIOBase):
    """A buffer that the ZIP is written into. It cannot seek, so `zipfile` never goes back in it."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._chunks.append(bytes(data))
        self.waiting += len(self._chunks[-1])
        return len(self._chunks[-1])

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken, self._chunks, self.waiting = b"".join(self._chunks), [], 0
        return taken


def export(owner: str, account: dict[str, Any]) -> Generator[bytes, None, None]:
    """Yield the ZIP in chunks. Blocks."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, changed_at, lines in _entries(owner, account):
            with archive.open(_file(name, changed_at), "w", force_zip64=True) as entry:
                for line in lines:
                    entry.write(line.encode(errors="replace"))
                    if pipe.waiting >= _CHUNK_BYTES:
                        yield pipe.take()
    yield pipe.take()


async def stream(owner: str, account: dict[str, Any]) -> AsyncIterator[bytes]:
    """Yield the chunks of `export`, which runs no faster than it is read, and holds nothing in between."""
    chunks = export(owner, account)
    while chunk := await in_thread(next)(chunks, b""):
        yield chunk


#: The name of a file, when it was last changed, and its lines.
Entry = tuple[str, datetime, Iterable[str]]


def _file(name: str, changed_at: datetime) -> zipfile.ZipInfo:
    """Return the header of a file. Its date is UTC, as those in the files: a ZIP has no time zones."""
    file = zipfile.ZipInfo(name, changed_at.astimezone(UTC).timetuple()[:6])
    file.compress_type = zipfile.ZIP_DEFLATED
    return file


def _entries(owner: str, account: dict[str, Any]) -> Iterator[Entry]:
    now = timezone.now()
    yield "README.txt", now, [texts.EXPORT_README.format(at=now.isoformat(timespec="seconds"))]
    yield "account.json", now, [_json(account)]
    for thread in _pages(Thread.objects.filter(owner=owner)):
        name = f"threads/{thread.created_at:%Y-%m-%d} {_file_name(thread.title)} {thread.id.hex[-8:]}"
        yield f"{name}.md", thread.updated_at, _markdown(thread)
        yield f"{name}.json", thread.updated_at, _thread_json(thread)
    for entry in personal_data.entries():
        if entry.model and entry.export:
            yield f"{entry.name}.jsonl", now, _json_lines(entry, owner)


def _pages(rows: Any) -> Iterator[Any]:
    """Yield the rows by primary key, some at a time."""
    rows = rows.order_by("pk")
    page = list(rows[:_BATCH_ROWS])
    while page:
        yield from page
        page = list(rows.filter(pk__gt=page[-1].pk)[:_BATCH_ROWS])


def _file_name(title: str) -> str:
    """Return the letters, digits and spaces of the title, which every file system accepts."""
    return " ".join(re.sub(r"[^\w\s-]", " ", title).split())[:60].strip() or "untitled"


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1, default=str) + "\n"


def _markdown(thread: Thread) -> Iterator[str]:
    started = f"{thread.created_at:%Y-%m-%d %H:%M} UTC"
    yield f"# {thread.title}\n\nWith the {thread.companion} companion, an AI. Started {started}.\n"
    for message in _pages(Message.objects.filter(thread=thread, is_chosen=True)):  # the JSON has all branches
        who = "You" if message.role == "user" else thread.companion.capitalize()
        file = (
            f"\n\n*{message.attachment['kind']}: {message.attachment.get('name', '')}*"
            if message.attachment
            else ""
        )
        yield f"\n---\n\n**{who}**, {message.created_at:%Y-%m-%d %H:%M}{file}\n\n{message.content}\n"
        if message.is_incomplete:
            yield f"\n*{texts.INCOMPLETE}*\n"


def _thread_json(thread: Thread) -> Iterator[str]:
    fields = {
        "id": thread.id.hex,
        "title": thread.title,
        "companion": thread.companion,
        "createdAt": thread.created_at,
        "updatedAt": thread.updated_at,
        "summary": thread.summary,
    }
    yield _json(fields).rstrip("}\n") + ',\n "messages": ['
    parents = Tree.load(thread.pk).parents
    for number, message in enumerate(_pages(Message.objects.filter(thread=thread))):
        parent = parents.get(message.pk)
        fields = {
            "id": message.id.hex,
            "parentId": parent and parent.hex,
            "chosen": message.is_chosen,
            "role": message.role,
            "content": message.content,
            "incomplete": message.is_incomplete,
            "createdAt": message.created_at,
            "attachment": message.attachment,
        }
        yield (",\n" if number else "\n") + _json(fields).rstrip()
    yield "\n]}\n"


def _json_lines(entry: personal_data.Entry, owner: str) -> Iterator[str]:
    assert entry.model is not None
    assert entry.export is not None
    for row in _pages(entry.model._default_manager.filter(**{entry.field: owner})):
        yield json.dumps(entry.export(row), ensure_ascii=False, default=str) + "\n"
