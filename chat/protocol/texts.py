"""Sentences that clients read when a frame cannot be accepted."""

NOT_TEXT = "Messages are JSON text."
NOT_JSON = "This is not JSON."
UNKNOWN_TYPE = "There is no such message type."
TOO_MANY_MESSAGES = "Too many messages. Please wait a moment."
LAST_MESSAGE_NOT_THE_USERS = "The last message must have the role user."


def frame_too_large(kilobytes: int) -> str:
    return f"A message can have {kilobytes} kB."
