"""Sentences of the account pages and of API tokens that users read."""

from datetime import datetime

#: The labels of the fields of the pages of django-allauth.
LABELS = {
    "login": "Name or e-mail address",
    "username": "Name",
    "email": "E-mail address",
    "password": "Password",
    "password1": "Password",
    "password2": "Password confirmation",
    "oldpassword": "Your current password",
    "code": "Code",
}
NO_RESET = "This site sends no e-mail. A forgotten password cannot be reset."
NO_ADDRESS = "Enter a valid e-mail address."
NO_ADDRESS_AS_NAME = (
    "A name cannot be an e-mail address. This site sends no e-mail, so it cannot check that it is yours."
)
SIGN_UP_AGAIN = "The account could not be created. Please sign up again, or sign in."
TOO_MANY_CODES = "Too many wrong codes. Please start again."

SITE_WORDS = "Your password can’t be little more than the name of this site or of a companion."
SITE = "Buddy Companion"
PASSKEY = "Passkey"
PASSKEY_NAME = "Name"
WRONG_PASSKEY = "This passkey was not accepted. Please try again."

WRONG_PASSWORD = "This is not your password."  # noqa: S105 (not a secret)
YOUR_PASSWORD = "Your password"  # noqa: S105
CONFIRM_ERASING = "Yes, erase all my data"

PASSWORD_CHANGED = (
    "Your password was changed. All other devices were signed out, and all API tokens were revoked."  # noqa: S105
)

_WRONG_NAME_OR_PASSWORD = (
    "Please enter a correct name or e-mail address and password. Upper and lower case are different."  # noqa: S105
)
#: What django-allauth reports, by its codes.
ERRORS = {
    "email_password_mismatch": _WRONG_NAME_OR_PASSWORD,
    "username_password_mismatch": _WRONG_NAME_OR_PASSWORD,
    "enter_current_password": WRONG_PASSWORD,
    "incorrect_password": WRONG_PASSWORD,
    "incorrect_code": "This code is wrong, or it was already used.",
    "duplicate_email": "This is already your address.",
    "too_many_login_attempts": TOO_MANY_CODES,
    "cannot_delete_authenticator": "Your account needs a second factor, and this is the only one.",
}
#: What a user can show to confirm the identity, by the ids of django-allauth.
PROOFS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code of your second factor",
    "mfa_reauthenticate:webauthn": "Use a passkey",
}
#: The messages of django-allauth that are shown, by their templates.
MESSAGES = {
    "account/messages/password_changed.txt": PASSWORD_CHANGED,
    "account/messages/password_set.txt": PASSWORD_CHANGED,
    "account/messages/email_confirmed.txt": "Your e-mail address is verified.",
    "account/messages/email_confirmation_failed.txt": "This address belongs to another account.",
    "account/messages/email_deleted.txt": "The address was removed.",
    "mfa/messages/totp_activated.txt": "The second factor is set up.",
    "mfa/messages/totp_deactivated.txt": "The second factor was removed.",
    "mfa/messages/webauthn_added.txt": "The passkey was created.",
    "mfa/messages/webauthn_removed.txt": "The passkey was removed.",
    "mfa/messages/recovery_codes_generated.txt": "New recovery codes were created. Earlier ones are void.",
}

TOKEN_NAME = "Name"  # noqa: S105
TOKEN_SCOPES = "Scopes"  # noqa: S105
TOKEN_EXPIRY = "Expiry"  # noqa: S105
TOKEN_EXPIRY_CHOICES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "No expiry")]
PROVE_TO_EXPORT = "Please confirm that it is you. Then download your data."
SESSION_ENDED = "The session has ended."
SESSIONS_ENDED = "All other sessions have ended."
UNKNOWN_BROWSER = "Unknown browser"
TOKEN_REVOKED = "The token was revoked."  # noqa: S105

#: The scopes of a token, each with what it allows.
SCOPE_LABELS = {
    "read": "Read conversations, jobs and usage",
    "chat": "Send, change, stop and delete messages",
    "analytics": "Send analytics events",
}

SIGN_IN_REQUIRED = "This site is for people with an account. Please sign in."
SIGN_UP_CLOSED = "New accounts cannot be created here at the moment."
SIGN_UP_BY_INVITATION = (
    "New accounts need an invitation. Please open the link in it once more, or ask for a new one."
)
SIGN_UP_OTHER_DOMAIN = "Accounts are for addresses of this organisation. Please use that address."
OIDC_FAILED = "Signing in there did not work. Please try again."
OIDC_NO_ACCOUNT = "There is no account for you here, and you cannot create one. Please ask the operator."
BLOCK_WITHOUT_REASON = "Write a reason. The blocked read it."
BLOCK_DAYS = "Use a number of days between 0 and 3650."
BLOCK_TOO_LARGE = "This network is too large: at most a /8 of IPv4 or a /16 of IPv6 can be blocked."
BLOCK_UNKNOWN = (
    "There is no such user. Write a name, a verified e-mail address, an owner key (u:12, s:…), an address or "
    "a network."
)
BLOCK_STAFF = "Staff are not blocked. Take the rights of this account first, or deactivate it."
BLOCK_OWN_NETWORK = (
    "This network has your own address: all visitors there are blocked. Staff who sign in are not."
)

OTHER_OWNER = "Your session on this page has ended."
TOKEN_UNKNOWN = "This token is not valid, or it was revoked."  # noqa: S105
TOKEN_EXPIRED = "This token has expired. Create a new one on your account page."  # noqa: S105
CSRF_FAILED = (
    "The CSRF token is missing or wrong. Send the value of the csrftoken cookie in the X-CSRFToken header."
)

#: What can be tried, for operators.
TRIED = {
    "password": "password",
    "code": "one-time code",
    "passkey": "passkey",
    "reset_link": "reset link",
    "api_token": "API token",
    "metrics_token": "token of /metrics",
}

MAIL_BUSY = "Too many e-mails are waiting to be sent. Please try again later."
MAIL_EXPIRED = "The e-mail is no longer valid, or it was sent."
MAIL_UNREADABLE = "The e-mail cannot be read: SECRET_KEY has changed."
MAIL_SIGN_IN_FAILED = (
    "The mail server refuses EMAIL_HOST_USER and EMAIL_HOST_PASSWORD, or it takes none over this connection."
)
INCOMPLETE = "This answer is incomplete."
EXPORT_README = """\
Your data at Buddy Companion, as of {at}.

threads/        your conversations, as Markdown (.md) and as JSON (.json)
account.json    your account, if you have one
*.jsonl         all other data about you, one JSON object per line

The answers were written by an AI and can be wrong.
"""
TOO_MANY_VISITORS = "This site has too many visitors. Please sign in, or try again later."


def blocked(reason: str, ends_at: datetime | None) -> str:
    """Return the sentences for an owner or a network that is blocked."""
    end = f"{ends_at.day} {ends_at:%B %Y, %H:%M} UTC" if ends_at else "the operator lifts the block"
    return f"You cannot use this site until {end}. The reason: {reason}"


def too_many_tokens(maximum: int) -> str:
    """Return the sentence for a user who has the maximum number of tokens."""
    return f"You have {maximum} tokens, which is the maximum. Please revoke one first."


def too_many_passkeys(maximum: int) -> str:
    """Return the sentence for a user who has the maximum number of passkeys."""
    return f"You have {maximum} passkeys, which is the maximum. Please remove one first."


def browser_on(browser: str, system: str) -> str:
    """Return the name of a browser on a system; either can be empty."""
    if not system:
        return browser or UNKNOWN_BROWSER
    return f"{browser or UNKNOWN_BROWSER} on {system}"


def scope_missing(scope: str) -> str:
    """Return the sentence for a token without `scope`."""
    return f"This token does not have the scope {scope}."


def mail_server_unreachable(error: str) -> str:
    """Return the sentence for operators about a mail server that does not answer."""
    return f"The mail server does not answer ({error})."


def mail_refused(code: int) -> str:
    """Return the sentence for operators about the reply of a mail server."""
    return f"The mail server has refused the e-mail with the code {code}."


def many_tries(failed: int, refused: int, minutes: int) -> str:
    """Return the warning for operators about many tries of secrets."""
    return (
        f"{failed} wrong passwords, codes or tokens were tried in the last {minutes} minutes, "
        f"and {refused} more tries were refused. The log names the networks and the accounts."
    )
