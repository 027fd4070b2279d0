"""Sentences that clients read when a frame cannot be accepted."""

NOT_TEXT = "Messages are JSON text."
NOT_JSON = "This is not JSON."
HALF_SURROGATE = "This text has half of a surrogate pair, which is no character."
UNKNOWN_TYPE = "There is no such message type."
TOO_MANY_MESSAGES = "Too many messages. Please wait a moment."
LAST_MESSAGE_NOT_THE_USERS = "The last message must have the role user."


def frame_too_large(kilobytes: int) -> str:
    return f"A message can have at most {kilobytes} kB."


# What to do about a failed answer, by its cause (failures.py).
TRY_AGAIN = "Your message is saved. Try again now or later."
OPERATOR_MUST_ACT = (
    "Your message is saved. Trying again cannot help until the operator of this site has acted."
)
CHANGE_MESSAGE = "The same words would fail again. Edit your message, or write another one."
ONE_THING_AT_A_TIME = "Your message is saved. Try again, or ask for one thing at a time."
BUDGET_RENEWS = "Your message is saved. Send it again when your budget is renewed."
OTHER_COMPANION = "Please start a conversation with another companion."
FIRST_STEP_FIRST = "Try the earlier step again. This step starts after it."
