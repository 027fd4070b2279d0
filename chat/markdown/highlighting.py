"""Colours for code: what its words are, told by classes of the page's style sheet (markdown.css)."""

import logging
import time
from html import escape

logger = logging.getLogger(__name__)

#: By their usual names. Others of Pygments' hundreds are shown as they are.
# fmt: off
_LANGUAGES = {
    "bash", "c", "c++", "cpp", "c#", "csharp", "css", "diff", "docker", "dockerfile", "go", "golang",
    "html", "java", "javascript", "js", "json", "kotlin", "php", "py", "python", "rb", "ruby", "rs",
    "rust", "sh", "shell", "sql", "swift", "toml", "ts", "typescript", "xml", "yaml", "yml", "zsh",
}
# fmt: on
#: Longer code is shown as it is.
_MOST = 20_000
#: Seconds of a processor that colours may take. Odd input, such as thousands of empty lines, makes some
#: lexers look through all of it for each word.
_PATIENCE = 0.25

#: Pygments' kinds of words, and ours. All others have no colour.
_CLASSES = {
    "Token.Comment": "hl-comment",
    "Token.Keyword": "hl-keyword",
    "Token.Operator.Word": "hl-keyword",
    "Token.Name.Tag": "hl-keyword",
    "Token.Literal.String": "hl-string",
    "Token.Generic.Inserted": "hl-string",
    "Token.Literal.Number": "hl-number",
    "Token.Name.Builtin": "hl-number",
    "Token.Name.Function": "hl-name",
    "Token.Name.Class": "hl-name",
    "Token.Name.Attribute": "hl-name",
    "Token.Name.Decorator": "hl-name",
    "Token.Generic.Deleted": "hl-name",
}
CLASSES = frozenset(_CLASSES.values())


def highlight(code: str, language: str) -> str:
    """`code` as HTML, its words in spans of `CLASSES`; only escaped where the language is not known here."""
    if language.lower() not in _LANGUAGES or len(code) > _MOST:
        return escape(code)
    try:
        words = _words(code, language.lower())
    except TimeoutError:
        return escape(code)
    except Exception:
        logger.exception("%d characters of %s are shown without colours", len(code), language)
        return escape(code)
    if "".join(text for _, text in words) != code:  # lexers drop what they take for a byte order mark
        return escape(code)
    return "".join(
        f'<span class="{name}">{escape(text)}</span>' if name else escape(text) for name, text in words
    )


def _words(code: str, language: str) -> list[tuple[str, str]]:
    """Pieces of `code` with their classes ('' for none), neighbours of one class together."""
    from pygments.lexers import get_lexer_by_name  # where nobody asks for code, it takes no memory

    found: list[tuple[str, str]] = []
    ends = time.thread_time() + _PATIENCE
    for kind, text in get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens(code):
        if time.thread_time() > ends:
            raise TimeoutError
        name = _class_of(str(kind))
        if found and found[-1][0] == name:
            text = found.pop()[1] + text
        found.append((name, text))
    return found


def _class_of(kind: str) -> str:
    while kind:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.rpartition(".")[0]
    return ""
