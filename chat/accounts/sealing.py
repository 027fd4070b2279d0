"""Secrets that the database keeps for a while, encrypted with `SECRET_KEY`: its rows alone tell nothing."""

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def renewed(purpose: str, sealed: str) -> str:
    """Return a secret encrypted with the first key. Raise `InvalidToken` if no key can read it."""
    return cipher(purpose).rotate(sealed.encode()).decode()


def cipher(purpose: str) -> MultiFernet:
    """Return the cipher for one purpose: the first key encrypts, and those of the fallbacks decrypt too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac(purpose, "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
