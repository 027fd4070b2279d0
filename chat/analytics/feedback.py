"""Thumbs up or down for an answer. Plain functions; they block.

`Message.DoesNotExist` also means that it is somebody else's, or a question.
"""

from typing import Any
from uuid import UUID

from chat.errors import InvalidInput
from chat.models import Message, Role, Thread

from .models import Feedback, Reason


def give(*, owner: str, message_id: UUID, value: str, reason: str = "", comment: str = "") -> Feedback:
    """Keep what the owner thinks of an answer, in place of what they thought before.

    `value` is `up` or `down`, `reason` one of `Reason` or nothing. Raises `InvalidInput` with the field.
    """
    message = _answer(owner, message_id)
    if not message.content:
        raise InvalidInput("messageId", "This answer is not there yet.")
    if value not in ("up", "down"):
        raise InvalidInput("value", "Use up or down.")
    if reason and reason not in Reason.values:
        raise InvalidInput("reason", f"Use one of {', '.join(Reason.values)}.")
    most = Feedback._meta.get_field("comment").max_length or 0
    if len(comment) > most or "\x00" in comment:
        raise InvalidInput("comment", f"A comment has at most {most} characters, none of them NUL.")
    given, _ = Feedback.objects.update_or_create(
        message=message,
        defaults={
            "owner": owner,
            "companion": message.thread.companion,
            "up": value == "up",
            "reason": reason,
            "comment": comment.strip(),
        },
    )
    return given


def take_back(*, owner: str, message_id: UUID) -> None:
    """Forget what was thought of an answer. Twice is once."""
    Feedback.objects.filter(message=_answer(owner, message_id)).delete()


def _answer(owner: str, message_id: UUID) -> Message:
    found = Message.objects.select_related("thread").filter(role=Role.ASSISTANT, thread__owner=owner)
    return found.get(id=message_id)


def of_thread(thread: Thread) -> dict[UUID, dict[str, Any]]:
    """By answer's id, what was thought of the answers of a thread, as clients are shown it."""
    return {given.message_id: view(given) for given in Feedback.objects.filter(message__thread=thread)}


def view(given: Feedback) -> dict[str, Any]:
    """As clients are shown it."""
    return {"value": "up" if given.up else "down", "reason": given.reason, "comment": given.comment}


def export(given: Feedback) -> dict[str, Any]:
    """As its owner takes it along."""
    return view(given) | {"messageId": given.message_id.hex, "updatedAt": given.updated_at.isoformat()}
