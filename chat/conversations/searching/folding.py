"""Texts without what a search ignores: case, accents, vowel points, width, and characters that nothing shows.

Each character is folded by itself, so a place in a folded text is a place in the text, too.
"""

import unicodedata

#: The number of these rules, raised with each change below: a text folded by others is folded again.
RULES = 1

#: Letters whose accent is part of them, and characters that are typed in more than one way.
_SAME = {
    **dict(zip("øłđħŧıðŋ", "oldhtidn", strict=True)),
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    # Arabic letters as other keyboards and languages write them.
    **dict(zip("ىیکگةەہ", "ييككههه", strict=True)),
    "ـ": "",
    **dict.fromkeys("‘’‚‛ʼ′´", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    # Marks of Markdown, which stand between the words of a phrase and are not shown.
    "*": "",
    "`": "",
}
#: Combining classes of marks: of accents (1, and from 200), nuktas (7), points of Hebrew, Arabic and Syriac.
#: The vowels of India and the voiced marks of Japan have others: they make other words.
_ACCENTS = {1, 7, *range(10, 37), *range(200, 241)}
#: Controls, formats, halves of pairs, and marks that enclose: nothing of them is said.
_SILENT = {"Cc", "Cf", "Cs", "Me"}

#: Maximum characters of which the fold is remembered.
_MAX_KNOWN = 30_000


class _Table(dict[int, str]):
    """Code point -> what it is folded to, found when a text has it first."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _SAME[character] if character in _SAME else "".join(map(_fold_part, _parts(character)))
        if len(self) < _MAX_KNOWN:
            self[code] = folded
        return folded


def _parts(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    return unicodedata.normalize("NFKD", decomposed.casefold())


def _fold_part(part: str) -> str:
    if part in _SAME:
        return _SAME[part]
    category = unicodedata.category(part)
    is_selector = "\ufe00" <= part <= "\ufe0f" or part == "\u034f"
    if is_selector or category in _SILENT or unicodedata.combining(part) in _ACCENTS:
        return ""
    return str(unicodedata.decimal(part)) if category == "Nd" else part


_table = _Table()


def fold(text: str) -> str:
    """Return what a search compares of `text`, on one line."""
    line = " ".join(text.split())
    if line.isascii() and line.isprintable():  # the same, and faster
        return line.lower().replace("*", "").replace("`", "")
    return line.translate(_table)


def find(text: str, folded: str) -> tuple[int, int] | None:
    """Return where in `text` the first place is that folds to `folded`: its start and its end."""
    pieces = [_table[ord(character)] for character in text]
    start = "".join(pieces).find(folded)
    if start < 0:
        return None
    end = _index_at(pieces, start + len(folded) - 1) + 1
    while end < len(text) and unicodedata.category(text[end]).startswith("M"):
        end += 1  # the accents of its last letter
    return _index_at(pieces, start), end


def _index_at(pieces: list[str], place: int) -> int:
    """Return the index of the piece that has the character number `place` of all of them."""
    for index, piece in enumerate(pieces):
        place -= len(piece)
        if place < 0:
            return index
    return len(pieces)
