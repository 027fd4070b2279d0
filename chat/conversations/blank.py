"""Text that shows nothing."""

import unicodedata

#: Letters and symbols without ink: the fillers of Hangul and the empty pattern of Braille.
_WITHOUT_INK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_blank(text: str) -> bool:
    """Return whether nothing of a text can be seen: it has only white space, controls and the like.

    Zero-width characters, marks without a letter and fillers count as nothing.
    """
    return not any(unicodedata.category(c)[0] in "LNPS" and c not in _WITHOUT_INK for c in text)
