"""Syntax highlighting keeps every character and uses classes of the style sheet."""

import re
import time
from html import unescape
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.markdown import highlighting
from chat.markdown.highlighting import CLASSES, highlight
from chat.markdown.render import render

CODE = '@cached\ndef half(n: int) -> str:  # "half" <of> it\n    return f"{n / 2}"\n'


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_highlighted_words_have_classes():
    html = render(f"```python\n{CODE}```")
    assert '<code class="language-python">' in html
    assert '<span class="hl-keyword">def</span>' in html
    assert '<span class="hl-name">half</span>' in html
    assert '<span class="hl-comment"># "half" &lt;of&gt; it</span>' in html
    assert text_of(html) == CODE + "\n"


@pytest.mark.parametrize("language", sorted(highlighting._LANGUAGES))
def test_every_language_keeps_all_characters(language):
    code = CODE + "\n\n<b class='x'>&amp;</b> {a: 1}\n-- select 1\n"
    assert text_of(highlight(code, language)) == code


@settings(max_examples=200, deadline=None)
@given(st.text(), st.sampled_from(["python", "html", "js", "sql", "yaml", "klingon", ""]))
def test_highlighting_any_code_is_lossless_and_escaped(code, language):
    html = highlight(code, language)
    assert unescape(re.sub(r'</?span(?: class="hl-[a-z]+")?>', "", html)) == code


@pytest.mark.parametrize(
    ("code", "language"),
    [(CODE, "klingon"), (CODE, ""), ("x = 1\n" * 4000, "python"), ("\ufeffx = 1\n", "python")],
)
def test_unhighlighted_code_is_only_escaped(code, language):
    html = highlight(code, language)
    assert "<span" not in html
    assert unescape(html) == code


@pytest.mark.parametrize("piece", ["\n", "x=", "a:"])
def test_highlighting_time_is_limited_in_every_language(piece, monkeypatch):
    monkeypatch.setattr(highlighting, "_CPU_TIMEOUT", 0.02)
    code = (piece * 20_000)[:20_000]
    for language in highlighting._LANGUAGES:
        assert any(_seconds(code, language) < 0.5 for _ in range(3)), language


def _seconds(code, language):
    """Return the CPU seconds of this thread for highlighting the code."""
    before = time.thread_time()
    assert text_of(highlight(code, language)) == code
    return time.thread_time() - before


def test_lexer_error_shows_code_without_colours(monkeypatch):
    monkeypatch.setattr(highlighting, "_pieces", lambda *_: 1 / 0)
    assert highlight("a < b", "python") == "a &lt; b"


def test_spans_and_classes_of_the_model_are_removed():
    html = render(
        '<span class="hl-keyword">x</span>\n\n```py class="danger"\n<span class="danger">x</span>\n```'
    )
    assert set(re.findall(r'class="([^"]*)"', html)) <= CLASSES | {"language-py"}
    assert "danger" in text_of(html)


def test_style_sheet_has_every_class():
    css = Path(finders.find("chat/css/markdown.css")).read_text()
    assert all(f".{name} {{" in css for name in CLASSES)
