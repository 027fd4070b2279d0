"""Does a message speak of a crisis? Looked at before anything else is done with it.

Phrases, not a model: they answer in well under a millisecond, also when everything else is away, and
anybody can read why. They miss what they do not know; docs/care.md gives the figures.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Level = Literal["danger", "concern"]

#: Characters looked at, at either end of a text: what lies between is a document, not a cry.
MOST = 5_000
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl")

_LETTERS_FOR = str.maketrans("013457@$", "oieastas")
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
    """What was found."""

    level: Level
    """`danger`: life or limb may be at stake now. `concern`: somebody is not well, or was hurt."""
    language: str
    """Of the phrase, as an ISO 639 code."""


def screen(text: str) -> Concern | None:
    """The gravest concern that `text` raises, in whichever language, or None."""
    said = plain(text if len(text) <= 2 * MOST else f"{text[:MOST]} . {text[-MOST:]}")
    found: Concern | None = None
    for language in LANGUAGES:
        level = _phrases(language).look(said)
        if level == "danger":
            return Concern(level, language)
        if level and found is None:
            found = Concern(level, language)
    return found


def plain(text: str) -> str:
    """`text` as the phrases expect it: however it is typed, the same words come out the same."""
    text = text.casefold()
    for starred, word in _STARRED:
        text = text.replace(starred, word)
    text = unicodedata.normalize("NFKD", text)
    text = re.sub("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]", "", text)
    text = re.sub("['’‘`´ʼ]", "", text)
    text = re.sub(r"(?<=[a-z])!(?=[a-z])", "i", text)
    text = re.sub(r"[a-z0-9@$]*[a-z][a-z0-9@$]*", _without_digits, text)
    text = re.sub(r"([a-z])\1{2,}", lambda run: run[1] * (2 if run[1] in "ls" else 1), text)
    text = re.sub(r"[.!?;:…]+|\n\s*\n", " . ", text)
    text = " ".join(re.sub(r"[^\w.]+", " ", text).replace("_", " ").split())
    text = _CONTRACTED.sub(lambda two: "".join(part for part in two.groups() if part), text)
    return _ELIDED.sub(r"\1", text)


def _without_digits(word: re.Match[str]) -> str:
    """`k1ll` is a word; `116`, `b2b` and `mp3` are not disguised ones."""
    found = word[0]
    if re.fullmatch(r"[a-z]+\d*|\d+[a-z]*|[a-z]\d[a-z]", found) and not re.search("[@$]", found):
        return found
    return found.translate(_LETTERS_FOR)


class _Phrases:
    """One language's."""

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
        return re.compile(rf"\b(?:{whole})\b")

    def look(self, said: str) -> Level | None:
        left = self._everyday.sub(" · ", said)
        level: Level | None = None
        for match in self._danger.finditer(left):
            if not self._is_negated(left[: match.start()], match[0]):
                return "danger"
            level = "concern"  # who says that they will not has thought of it
        return "concern" if level or self._concern.search(left) else None

    def _is_negated(self, before: str, phrase: str) -> bool:
        return bool(self._negated and self._negated.search(before.rstrip()))


@cache
def _phrases(language: str) -> _Phrases:
    return _Phrases(language)
