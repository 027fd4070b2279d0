"""Questions submitted without a browser."""

from typing import Any
from uuid import UUID

from chat.conversations import services
from chat.conversations.edit import EditResult, MessageEdit, edit_message
from chat.conversations.messages import AcceptedMessage, NewMessage


def submit_question(**fields: Any) -> AcceptedMessage:
    """Submit a `NewMessage` with these fields."""
    return services.submit_question(NewMessage(**fields))


def edit_question(accepted: AcceptedMessage, *, owner: str, text: str, **fields: Any) -> EditResult:
    """Edit an accepted question; `fields` are more fields of the `MessageEdit`."""
    return edit_message(MessageEdit(owner=owner, message_id=UUID(accepted.message_id), text=text, **fields))
