"""A long conversation in the database, as if it had been talked."""

from django.utils import timezone

from chat.models import Message, Role, Thread
from queueing.api import new_id


def long_thread(messages: int, *, owner: str = "s:alice", size: int = 0, answer: str = "") -> Thread:
    """Create a thread of alternating questions and answers, numbered, `size` characters long."""
    thread = Thread.objects.create(owner=owner, companion="travel", title="Long", updated_at=timezone.now())
    rows = []
    for number in range(messages):
        if number % 2 == 0:
            job_id = new_id()
        role = Role.ASSISTANT if number % 2 else Role.USER
        text = f"{answer}\n\n**{number}**" if answer and number % 2 else f"Message {number}"
        content = text.ljust(size, ".")
        rows.append(Message(id=new_id(), thread=thread, role=role, content=content, job_id=job_id))
    Message.objects.bulk_create(rows, batch_size=200)
    return thread


def numbers(contents: list[str]) -> list[int]:
    """Return the numbers of messages of a long thread."""
    return [int(content.strip(".*").rpartition(" ")[2]) for content in contents]
