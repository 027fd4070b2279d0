"""Sentences of the account pages and of API tokens that users read."""

INVALID_EMAIL = "Enter a valid e-mail address."
EMAIL_HELPS_RESET = "With an e-mail address you can reset a forgotten password."
NAME_OR_EMAIL = "Name or e-mail address"
EMAIL = "E-mail address"

WRONG_PASSWORD = "This is not your password."  # noqa: S105 (not a secret)
YOUR_PASSWORD = "Your password"  # noqa: S105
CONFIRM_ERASING = "Yes, erase all my data"

PASSWORD_CHANGED = (
    "Your password was changed. All other devices were signed out, and all API tokens were revoked."  # noqa: S105
)
PASSWORD_RESET = "Your password was changed. Please sign in with it."  # noqa: S105

TOKEN_NAME = "Name"  # noqa: S105
TOKEN_SCOPES = "Scopes"  # noqa: S105
TOKEN_EXPIRY = "Expiry"  # noqa: S105
TOKEN_EXPIRY_CHOICES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "No expiry")]
TOKEN_REVOKED = "The token was revoked."  # noqa: S105

#: The scopes of a token, each with what it allows.
SCOPE_LABELS = {
    "read": "Read conversations, jobs and usage",
    "chat": "Send, change, stop and delete messages",
    "analytics": "Send analytics events",
}

TOKEN_UNKNOWN = "This token is not valid, or it was revoked."  # noqa: S105
TOKEN_EXPIRED = "This token has expired. Create a new one on your account page."  # noqa: S105
CSRF_FAILED = (
    "The CSRF token is missing or wrong. Send the value of the csrftoken cookie in the X-CSRFToken header."
)

#: What can be tried, for operators.
TRIED = {
    "password": "password",
    "code": "one-time code",
    "reset_link": "reset link",
    "api_token": "API token",
    "metrics_token": "token of /metrics",
}

INCOMPLETE = "This answer is incomplete."
EXPORT_README = """\
Your data at Buddy Companion, as of {at}.

threads/        your conversations, as Markdown (.md) and as JSON (.json)
account.json    your account, if you have one
*.jsonl         all other data about you, one JSON object per line

The answers were written by an AI and can be wrong.
"""


def too_many_tokens(maximum: int) -> str:
    """Return the sentence for a user who has the maximum number of tokens."""
    return f"You have {maximum} tokens, which is the maximum. Please revoke one first."


def scope_missing(scope: str) -> str:
    """Return the sentence for a token without `scope`."""
    return f"This token does not have the scope {scope}."


def many_tries(failed: int, refused: int, minutes: int) -> str:
    """Return the warning for operators about many tries of secrets."""
    return (
        f"{failed} wrong passwords, codes or tokens were tried in the last {minutes} minutes, "
        f"and {refused} more tries were refused. The log names the networks and the accounts."
    )
