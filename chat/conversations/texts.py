"""Sentences that clients read, of messages and conversations."""

EMPTY_MESSAGE = "This message is empty."
INVALID_CHARACTERS = "A text cannot contain NUL characters or half surrogate pairs."
REQUEST_ID_USED = "This requestId was already used for another kind of job."
DOCUMENT_GONE = "To ask something else about a document, please attach it again."
NOT_FINISHED = "This answer is still being written."
NOT_TRANSCRIBED = "Cannot edit a recording that is not transcribed."
INCOMPLETE = "This answer is incomplete."
ONE_PLACE = "Use one of before, after and around."
NO_SUCH_PLACE = "This is no place in the list: use `next` of a page, or the id of a conversation."
UNTITLED = "Conversation"
YOU = "You"


def message_too_long(length: int, maximum: int) -> str:
    return f"This message has {length:,} characters; the maximum is {maximum:,}."


def too_many_waiting(count: int) -> str:
    return f"{count} messages wait in this conversation. Please wait for an answer."


def thread_full(maximum: int) -> str:
    return f"This conversation has {maximum:,} messages, which is the maximum. Please begin a new one."


def too_many_messages(wait: str) -> str:
    return f"You have sent many messages. Please wait {wait}."


def other_companion(companion: str) -> str:
    return f"This thread is with the {companion} companion."


def title_length(maximum: int) -> str:
    return f"A title has 1 to {maximum} characters."


def query_too_long(maximum: int) -> str:
    return f"A search has {maximum} characters at most."


def cannot_edit(state: str) -> str:
    return f"Cannot edit a message whose job is {state}."


def cannot_withdraw(state: str) -> str:
    return f"Cannot withdraw a message whose job is {state}."


def transcript_heading(companion: str) -> str:
    return f"With the {companion} companion, an AI that can be wrong. Times are UTC."
