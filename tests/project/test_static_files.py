"""Minified scripts do the same as the originals."""

from pathlib import Path

import pytest
from pygments.lexers import JavascriptLexer
from pygments.token import Comment

from buddy.storage import minify
from tests.support.cluster import ROOT

SCRIPTS = sorted([*ROOT.glob("chat/**/static/**/*.js"), *ROOT.glob("queueing/static/queueing/**/*.js")])


def said(script: str) -> str:
    """All that a browser goes by: literals as they are, and the rest without space."""
    words = JavascriptLexer().get_tokens(script)
    return "\0".join(word for kind, word in words if kind not in Comment and word.strip())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_minified_script_has_the_same_tokens(path: Path):
    script = path.read_text()
    assert said(minify(script)) == said(script)
    assert minify(minify(script)) == minify(script)


def test_literal_that_would_be_changed_is_refused():
    script = "const a = `one ${b ? `two  , ${c}` : ''} , three`;"
    assert said(minify(script)) != said(script)


def test_line_end_that_ends_a_statement_stays():
    assert minify("let a = b\n(c)\nreturn\nd") == "let a=b\n(c)\nreturn\nd"
