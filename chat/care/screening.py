"""Screening: does a message sound like a crisis? This runs before anything else is done with the message.

It uses phrases, not a model: they need less than a millisecond, work when no service does, and can
be read and corrected. They miss what they do not contain; docs/care.md has the figures.
"""

import re
import secrets
import threading
import tomllib
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from .beginnings import whole_words

Level = Literal["danger", "concern"]

#: Characters checked at the start and at the end of a text; a longer text is a document.
CHECKED_CHARS = 5_000
#: Texts of which a process knows the concern, so that reading a conversation does not screen it again.
REMEMBERED = 4_096
#: Accents and other marks of one letter that are read.
_MAX_MARKS = 30
#: Characters before a phrase in which a negation counts.
_NEGATION_CHARS = 120
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl")

_DIGITS_AS_LETTERS = str.maketrans("013457@$", "oieastas")
_STARRED = (
    ("k*ll", "kill"),
    ("su*cide", "suicide"),
    ("s*icide", "suicide"),
    ("d*e", "die"),
    ("r*pe", "rape"),
)
_CONTRACTED = re.compile(r"\b(i) (m|ve|d|ll)\b|\b(\w{2,6}n) (t)\b")
_ELIDED = re.compile(r"\b([cdjlmnst]|qu) (?=[aehiouy]\w)")


@dataclass(frozen=True)
class Concern:
    """The concern that a text raises."""

    level: Level
    """`danger`: a life may be in danger now. `concern`: a person is in distress, or was hurt."""
    language: str
    """The language of the phrase, as an ISO 639 code."""


class _Memory:
    """The concerns of the latest texts. It has keyed hashes of the texts: they are not kept here."""

    def __init__(self) -> None:
        self._key, self._lock = secrets.token_bytes(32), threading.Lock()
        self._found: OrderedDict[bytes, Concern | None] = OrderedDict()

    def concern_of(self, text: str) -> Concern | None:
        """Return the concern of `text`, which is screened if that is unknown."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=16).digest()
        with self._lock:
            if digest in self._found:
                self._found.move_to_end(digest)
                return self._found[digest]
        found = _screen(text)
        with self._lock:
            self._found[digest] = found
            if len(self._found) > REMEMBERED:
                self._found.popitem(last=False)
        return found


_memory = _Memory()


def screen(text: str) -> Concern | None:
    """Return the most serious concern that `text` raises in any language, or None."""
    return _memory.concern_of(_ends(text))


def _screen(text: str) -> Concern | None:
    normalized = _ends(normalize(text))  # some characters stand for whole sentences
    found: Concern | None = None
    for language in LANGUAGES:
        level = _phrases(language).level_of(normalized)
        if level == "danger":
            return Concern(level, language)
        if level and found is None:
            found = Concern(level, language)
    return found


def _ends(text: str) -> str:
    """Return `text`, or the start and the end of a longer one."""
    return text if len(text) <= 2 * CHECKED_CHARS else f"{text[:CHECKED_CHARS]} . {text[-CHECKED_CHARS:]}"


def normalize(text: str) -> str:
    """Return `text` in the form that the phrases match: the same words always look the same."""
    text = text.casefold()
    for starred, word in _STARRED:
        text = text.replace(starred, word)
    text = unicodedata.normalize("NFKD", text if text.isascii() else _with_few_marks(text))
    text = re.sub("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]", "", text)
    text = re.sub("['’‘`´ʼ]", "", text)
    text = re.sub(r"(?<=[a-z])!(?=[a-z])", "i", text)
    text = re.sub(r"[a-z0-9@$]+", _without_digits, text)
    text = re.sub(r"([a-z])\1{2,}", lambda run: run[1] * (2 if run[1] in "ls" else 1), text)
    text = re.sub(r"[.!?;:…]+|\n\s*\n", " . ", text)
    text = " ".join(re.sub(r"[^\w.]+", " ", text).replace("_", " ").split())
    text = _CONTRACTED.sub(lambda two: "".join(part for part in two.groups() if part), text)
    return _ELIDED.sub(r"\1", text)


def _with_few_marks(text: str) -> str:
    """Return `text` without marks that no word needs: sorting those of one letter takes quadratic time."""
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def _without_digits(word: re.Match[str]) -> str:
    """Return a disguised word such as `k1ll` in letters; leave `116`, `b2b` and `mp3` as they are."""
    found = word[0]
    if re.fullmatch(r"[a-z]+\d*|\d+[a-z]*|[a-z]\d[a-z]|[\d@$]+", found):
        return found
    return found.translate(_DIGITS_AS_LETTERS)


class _Phrases:
    """The phrases of one language."""

    def __init__(self, language: str) -> None:
        data = tomllib.loads((Path(__file__).parent / "phrases" / f"{language}.toml").read_text())
        self._parts: dict[str, str] = data.get("parts", {})
        self._everyday = self._any_of(data["phrases"]["everyday"])
        self._danger = self._any_of(data["phrases"]["danger"])
        self._concern = self._any_of(data["phrases"]["concern"])
        self._negated = re.compile(data["negated"] + "$") if "negated" in data else None

    def _any_of(self, phrases: list[str]) -> re.Pattern[str]:
        whole = "|".join(phrases)
        for name, part in self._parts.items():
            whole = whole.replace("{" + name + "}", part)
        return whole_words(whole)

    def level_of(self, normalized: str) -> Level | None:
        left = self._everyday.sub(" · ", normalized)
        level: Level | None = None
        for match in self._danger.finditer(left):
            if not self._is_negated(left[max(0, match.start() - _NEGATION_CHARS) : match.start()]):
                return "danger"
            level = "concern"  # a person who says that they will not do it has thought of it
        return "concern" if level or self._concern.search(left) else None

    def _is_negated(self, before: str) -> bool:
        return bool(self._negated and self._negated.search(before.rstrip()))


@cache
def _phrases(language: str) -> _Phrases:
    return _Phrases(language)
