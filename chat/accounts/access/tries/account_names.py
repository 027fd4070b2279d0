"""The names under which a person signs in to an account, as digests that can be stored anywhere."""

import unicodedata
from typing import Any

from django.utils.crypto import salted_hmac


def digest_of(name: str) -> str:
    """Return the digest of a name; the same for all ways to write it. A typed name may be a password."""
    text = unicodedata.normalize("NFKC", name).strip().casefold()
    return salted_hmac("chat.accounts.account", text, algorithm="sha256").hexdigest()[:32]


def names_of(user: Any) -> list[str]:
    """Return the digests of the name and of the e-mail address of a user."""
    return [digest_of(name) for name in (user.get_username(), user.email) if name]
