"""Minified scripts do the same as the originals."""

import os
import re
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pygments.lexers import JavascriptLexer
from pygments.token import Comment

from buddy.storage import ModuleStorage, minify
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


def test_compressed_copies_have_the_permissions_of_their_original(tmp_path: Path):
    """O11: the process that collects may have another account than the one that serves."""
    storage = ModuleStorage(location=tmp_path, file_permissions_mode=0o644)
    before = os.umask(0o077)
    try:
        original = storage.path(storage.save("a.css", ContentFile(b"a{color:red}" * 500)))
        copies = storage.create_compressor(quiet=True).compress(original)
    finally:
        os.umask(before)
    assert copies
    assert {Path(path).stat().st_mode & 0o777 for path in copies} == {0o644}


def test_site_has_all_colours_and_sizes_of_the_pages_of_the_engine():
    """The site replaces page.css of the engine by its own style sheets."""
    engine = ROOT / "queueing" / "static" / "queueing"
    used = "".join((engine / name).read_text() for name in ("dashboard.css", "plots.css"))
    own = (ROOT / "chat" / "static" / "chat" / "css" / "variables.css").read_text()
    assert set(re.findall(r"var\((--[\w-]+)", used)) - set(re.findall(r"(--[\w-]+):", own)) == set()
