"""Texts are in plain international English: words that are hard to understand abroad do not appear.

The words are correct English, but a plainer word exists: the message of the test names it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import texts

#: Pattern -> the plain words.
AVOID = {
    r"nobody": "no user, no worker, no process, …",
    r"somebody": "a person, a user, another process, …",
    r"anybody": "every client, any user, …",
    r"everybody": "all users, all queues, …",
    r"whoever|whomever|whosever": "the user who, the process that",
    r"whatever": "any, everything",
    r"anew": "again",
    r"(?:is|are|was|were|be|been|being) told": "is notified, receives, is sent",
    r"(?:is|are|was|were) away": "is unavailable",
    r"goes? away|gone away": "becomes unavailable, is deleted",
    r"deeds?": "action",
    r"mend(?:s|ed|ing)?": "fix",
    r"heard of|hears? of": "receives, is notified",
    r"so many": "the maximum, this number",
    r"lest": "so that … not",
    r"straight (?:on|away)": "at once, directly",
    r"by and by|now and then|ever so": "from time to time",
    r"the way out": "how to fix it",
    r"writes? down|wrote down|written down": "transcribe, record, log",
    r"takes? along|taken along|took along": "export, include",
    r"stands? aside|stood aside": "is parked",
    r"comes? to nothing": "fails",
    r"of no use": "useless",
    r"good news": "message",
    r"is no (?:more|longer)(?=[.,;:]|$)": "has ended",
    r"that is all there is": "(delete)",
}
WORDS = re.compile(r"\b(?:" + "|".join(AVOID) + r")\b", re.IGNORECASE)

#: Quotations and names in which a word is correct: file -> the words.
ALLOWED: dict[str, set[str]] = {
    "chat/care/card.py": {"everybody"},  # a value in chat/care/help_lines.toml
    # Instructions for the model.
    "chat/companions/corporate.py": {"nobody", "somebody"},
    "chat/companions/emotional.py": {"anybody"},
}


def passages(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of what people read in a file: prose as a whole, of code what is not code."""
    source = texts.read(path)
    if path.suffix == ".py":
        yield from texts.comments(source)
        yield from texts.strings(source, docstrings=True, others=True)
    elif path.suffix in (".toml", ".cfg") or path.name in ("run", ".importlinter"):
        yield from ((n, line) for n, line in enumerate(source.splitlines(), 1) if "#" in line)
    else:
        yield from enumerate(source.splitlines(), 1)


def findings(path: Path) -> list[str]:
    """Return one line for each word to avoid in a file."""
    allowed = ALLOWED.get(str(path), set())
    found = []
    for first, text in passages(path):
        for match in WORDS.finditer(text):
            if match[0].lower() in allowed:
                continue
            line = first + text.count("\n", 0, match.start())
            found.append(f"{path}:{line}: {match[0]!r}. Better: {plainer(match[0])}")
    return found


def plainer(word: str) -> str:
    """Return the plain words for a word to avoid."""
    return next(plain for pattern, plain in AVOID.items() if re.fullmatch(pattern, word, re.IGNORECASE))


def read_by_people() -> list[Path]:
    """Return the files whose texts are checked: everything except tests, data and generated files."""
    kinds = texts.named(
        ".py", ".md", ".html", ".js", ".lua", ".css", ".txt", ".env.example", "Makefile", ".toml"
    )
    skipped = ("tests/", "chat/care/help_lines.toml", "chat/care/phrases/", "chat/care/texts.toml")
    return [path for path in kinds if not str(path).startswith(skipped) and "migrations" not in path.parts]


@pytest.mark.parametrize("folder", sorted({path.parts[0] for path in read_by_people()}))
def test_texts_have_no_words_to_avoid(folder: str):
    paths = [path for path in read_by_people() if path.parts[0] == folder]
    found = [line for path in paths for line in findings(path)]
    assert not found, "\n" + "\n".join(found)
