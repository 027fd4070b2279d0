"""Sentences that clients of the HTTP API read."""

ONE_OF_MESSAGE_AND_MESSAGES = "Send either message or messages."
INVALID_EVENT_ID = "This is not an id of an event of this server."
INVALID_FORM = "This form cannot be read. Check its content type, boundary and fields."
BODY_TOO_LARGE = "This request's body is too large."
UNKNOWN_HOST = "This server does not answer to this name. Its operator can add the name to ALLOWED_HOSTS."
TOO_MANY_OPEN = "You have too many requests and tabs open. Close some of them."
TOO_MANY_BODIES = "Too many files are being sent at the moment. Please try again."


def other_companion(companion: str) -> str:
    return f"This address belongs to the {companion} companion."


def method_not_allowed(allowed: str) -> str:
    return f"This address accepts {allowed}."
