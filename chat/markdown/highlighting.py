"""Syntax highlighting: spans with the classes of the page's style sheet (markdown.css)."""

import logging
import time
from html import escape

logger = logging.getLogger(__name__)

#: The usual names of languages. The hundreds of other languages that Pygments knows are not highlighted.
# fmt: off
_LANGUAGES = {
    "bash", "c", "c++", "cpp", "c#", "csharp", "css", "diff", "docker", "dockerfile", "go", "golang",
    "html", "java", "javascript", "js", "json", "kotlin", "php", "py", "python", "rb", "ruby", "rs",
    "rust", "sh", "shell", "sql", "swift", "toml", "ts", "typescript", "xml", "yaml", "yml", "zsh",
}
# fmt: on
#: Maximum characters; longer code is not highlighted.
_MAX_LENGTH = 20_000
#: Maximum seconds of CPU time. Unusual input, such as thousands of empty lines, makes some lexers scan all of
#: it for each token.
_CPU_TIMEOUT = 0.25

#: Token types of Pygments and our classes. All others have no colour.
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
    """Return `code` as HTML with spans of `CLASSES`; without spans if the language is unknown."""
    if language.lower() not in _LANGUAGES or len(code) > _MAX_LENGTH:
        return escape(code)
    try:
        pieces = _pieces(code, language.lower())
    except TimeoutError:
        return escape(code)
    except Exception:
        logger.exception("%d characters of %s are shown without highlighting", len(code), language)
        return escape(code)
    if "".join(text for _, text in pieces) != code:  # lexers drop a byte order mark
        return escape(code)
    return "".join(
        f'<span class="{name}">{escape(text)}</span>' if name else escape(text) for name, text in pieces
    )


def _pieces(code: str, language: str) -> list[tuple[str, str]]:
    """Return pieces of `code` with their classes ('' for none). Neighbours of one class are one piece.

    Raises `TimeoutError`.
    """
    from pygments.lexers import get_lexer_by_name  # takes memory only where code is rendered

    pieces: list[tuple[str, str]] = []
    deadline = time.thread_time() + _CPU_TIMEOUT
    for kind, text in get_lexer_by_name(language, stripnl=False, ensurenl=False).get_tokens(code):
        if time.thread_time() > deadline:
            raise TimeoutError
        name = _class_of(str(kind))
        if pieces and pieces[-1][0] == name:
            text = pieces.pop()[1] + text
        pieces.append((name, text))
    return pieces


def _class_of(kind: str) -> str:
    while kind:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.rpartition(".")[0]
    return ""
