"""A password hasher that takes no time."""

from django.contrib.auth import hashers

from chat.accounts.access.tries.passwords import Counted


class MD5PasswordHasher(Counted, hashers.MD5PasswordHasher):
    pass
