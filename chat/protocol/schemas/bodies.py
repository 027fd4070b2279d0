"""What clients send: new messages, edits and titles."""

from uuid import UUID

from chat.protocol.client_messages import Messages, RequestId, ThreadKey

from .base import CamelSchema, example


class QuestionIn(CamelSchema):
    """A new message: `message`, or `messages` whose last one is the user's new one."""

    model_config = example(message="Three days in Lisbon?")

    message: str | None = None
    messages: Messages | None = None
    thread_id: ThreadKey | None = None
    request_id: RequestId | None = None
    assistant_id: str | None = None
    """A companion's name, for clients of the reference design. Must agree with the address."""


class EditIn(CamelSchema):
    """A message's new text."""

    model_config = example(content="Four days in Lisbon?")

    content: str
    request_id: RequestId | None = None
    only_if_waiting: bool = False
    """Refuse (409 `wrong_state`) instead of asking it again."""


class RegenerateIn(CamelSchema):
    """A wish for another answer. Nothing is required."""

    model_config = example(requestId="again-1")

    request_id: RequestId | None = None


class LeafIn(CamelSchema):
    """The branch to choose."""

    model_config = example(messageId="01999f3cf5a07d1c8f3a5b7c9d1e2f30")

    message_id: UUID
    """A message of the branch."""


class RenameIn(CamelSchema):
    """A thread's new title."""

    model_config = example(title="Lisbon in May")

    title: str
