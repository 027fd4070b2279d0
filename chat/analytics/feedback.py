"""Feedback: thumbs up or down for an answer. All functions block.

`Message.DoesNotExist` also means that the message is not an answer, or belongs to another owner.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from chat.errors import InvalidInput
from chat.models import Message, Role

from . import texts
from .models import Feedback, FeedbackReason


def save(*, owner: str, message_id: UUID, value: str, reason: str = "", comment: str = "") -> Feedback:
    """Store the owner's feedback on an answer, in place of earlier feedback.

    `value` is `up` or `down`, `reason` is a `FeedbackReason` or empty. Raises `InvalidInput` with the field.
    """
    message = _answer(owner, message_id)
    if not message.content:
        raise InvalidInput("messageId", texts.ANSWER_NOT_READY)
    _check(value, reason, comment)
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


def _check(value: str, reason: str, comment: str) -> None:
    if value not in ("up", "down"):
        raise InvalidInput("value", texts.BAD_VALUE)
    if reason and reason not in FeedbackReason.values:
        raise InvalidInput("reason", texts.use_one_of(FeedbackReason.values))
    max_length = Feedback._meta.get_field("comment").max_length or 0
    if len(comment) > max_length or "\x00" in comment:
        raise InvalidInput("comment", texts.bad_comment(max_length))


def delete(*, owner: str, message_id: UUID) -> None:
    """Delete the feedback on an answer, if there is any."""
    Feedback.objects.filter(message=_answer(owner, message_id)).delete()


def _answer(owner: str, message_id: UUID) -> Message:
    found = Message.objects.select_related("thread").filter(role=Role.ASSISTANT, thread__owner=owner)
    return found.get(id=message_id)


def of_messages(ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return the feedback on these answers as JSON data, by message id."""
    return {given.message_id: public(given) for given in Feedback.objects.filter(message__in=ids)}


def public(given: Feedback) -> dict[str, Any]:
    """Return the fields that clients get."""
    return {"value": "up" if given.up else "down", "reason": given.reason, "comment": given.comment}


def export(given: Feedback) -> dict[str, Any]:
    """Return the fields of an export."""
    return public(given) | {"messageId": given.message_id.hex, "updatedAt": given.updated_at.isoformat()}
