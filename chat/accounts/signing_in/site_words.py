"""Words of the site that make no good password: its name, its companions and its host.

The list is ASVS 5, 6.1.2: docs/accounts.md. The validator is one of `AUTH_PASSWORD_VALIDATORS`.
"""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from chat.accounts import texts
from chat.companions.registry import COMPANIONS

_WORDS = {"buddy", "companion", "password", "account", "secret"}
#: Characters that have to be left without these words.
_LEFT = 6
#: Words that are shorter are in too many others: `co`, `www`.
_SHORTEST = 4


def words() -> set[str]:
    """Return the words, in small letters."""
    host = settings.SITE_ORIGIN.partition("://")[2].split(".")
    return {word for word in (*_WORDS, *COMPANIONS, *host) if len(word) >= _SHORTEST}


class SiteWords:
    """A validator that refuses passwords with little more than words of the site."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raise `ValidationError` for such a password."""
        alternatives = "|".join(sorted(map(re.escape, words()), key=len, reverse=True))
        if len(re.sub(alternatives, "", password.lower())) < _LEFT <= len(password):
            raise ValidationError(texts.SITE_WORDS, code="site_words")

    def get_help_text(self) -> str:
        """Return what the pages say about it."""
        return texts.SITE_WORDS
