"""Rendering of Markdown to safe HTML."""

import pytest

from chat.markdown.render import render


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[click](javascript:alert(1))",
        "[click](data:text/html;base64,PHNjcmlwdD4=)",
        '[click](https://a.example "x\\" onmouseover=\\"alert(1)")',
        "![x](https://evil.example/pixel.png)",
        '![x" onload="alert(1)](https://evil.example)',
        '```x" onclick="alert(1)\ncode\n```',
        "<style>*{display:none}</style>",
        "<a href='https://evil.example' style='position:fixed'>x</a>",
        "[admin](/admin/)",
        "[host](//evil.example)",
    ],
)
def test_hostile_input_gives_no_markup(hostile):
    html = render(hostile)
    for tag in ("<script", "<img", "<style", "<iframe", "<svg"):
        assert tag not in html
    tags = "".join(part.partition(">")[0] for part in html.split("<")[1:])
    for attribute in (
        "onerror",
        "onmouseover=",
        "onclick",
        "onload",
        "style=",
        "javascript:",
        "data:",
        "/admin",
    ):
        assert attribute not in tags.replace('title="x&quot; onmouseover=&quot;alert(1)"', "")
    assert 'href="//' not in html


def test_raw_html_is_escaped():
    assert render("a <b>bold</b> claim") == "<p>a &lt;b&gt;bold&lt;/b&gt; claim</p>\n"


def test_link_opens_new_tab_without_referrer():
    html = render("[here](https://example.org/a?b=c)")
    assert 'href="https://example.org/a?b=c"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_image_renders_as_description():
    assert render('![a <nice> cat](https://example.org/cat.png "t")') == "<p>a &lt;nice&gt; cat</p>\n"


def test_code_keeps_language_and_characters():
    html = render("```klingon\nif a < b: pass\n```")
    assert html == '<pre><code class="language-klingon">if a &lt; b: pass\n</code></pre>\n'


def test_table_alignment_has_no_inline_style():
    html = render("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert '<td align="left">1</td>' in html
    assert '<th align="right">b</th>' in html
    assert "style" not in html


def test_empty_input_renders_nothing():
    assert render("") == ""
