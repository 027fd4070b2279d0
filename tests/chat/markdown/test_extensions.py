"""Markdown beyond CommonMark, as models write it (P17)."""

import time

import pytest

from chat.markdown import render as module
from chat.markdown.render import clean, render

LINK = '<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>'


def text_of(html: str) -> str:
    """Return what stands in the first paragraph."""
    return html.partition("<p>")[2].partition("</p>")[0]


@pytest.mark.parametrize(
    ("source", "href", "shown"),
    [
        ("https://example.org/a_b_c?x=1", "https://example.org/a_b_c?x=1", "https://example.org/a_b_c?x=1"),
        ("www.example.org/x", "http://www.example.org/x", "www.example.org/x"),
        ("me@example.org", "mailto:me@example.org", "me@example.org"),
        ("https://de.wikipedia.org/wiki/Berlin_(Stadt)",) * 3,
        ("https://例え.jp/道", "https://xn--r8jz45g.jp/%E9%81%93", "https://例え.jp/道"),
    ],
)
def test_address_without_markup_is_a_link(source, href, shown):
    assert text_of(render(f"See {source}, and more.")) == f"See {LINK.format(href, shown)}, and more."


@pytest.mark.parametrize(
    "source",
    ["README.md", "main.rs", "example.org", "e.g.this", "ftp://a.b", "://x", "www.", "a://b.c", "http://"],
)
def test_what_is_no_web_address_stays_text(source):
    assert "<a" not in render(f"See {source} there.")


def test_address_inside_code_and_links_stays_as_it_is():
    assert text_of(render("`https://a.org`")) == "<code>https://a.org</code>"
    assert text_of(render("[https://a.org](https://b.org)")) == LINK.format("https://b.org", "https://a.org")
    assert (
        text_of(render("**https://a.org/**"))
        == f"<strong>{LINK.format('https://a.org/', 'https://a.org/')}</strong>"
    )


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("a<br>b", "a<br>\nb"),
        ("a<BR />b", "a<br>\nb"),
        ("H<sub>2</sub>O", "H<sub>2</sub>O"),
        ("x<SUP>*2*</SUP>", "x<sup><em>2</em></sup>"),
        ("<kbd>Ctrl</kbd>", "<kbd>Ctrl</kbd>"),
        ("a <sub> alone", "a &lt;sub&gt; alone"),
        ("a </sub> alone", "a &lt;/sub&gt; alone"),
        ("<div>x</div>", "&lt;div&gt;x&lt;/div&gt;"),
        ("<sub onclick=x>a</sub>", "&lt;sub onclick=x&gt;a&lt;/sub&gt;"),
    ],
)
def test_few_elements_of_html_are_taken_and_others_shown(source, html):
    assert text_of(render(source)) == html


def test_break_in_a_table_cell_is_a_break():
    assert "<td>x<br>\ny</td>" in render("| a |\n|-|\n| x<br>y |")


@pytest.mark.parametrize(
    "source", ["\\(E=mc^2\\)", "$E=mc^2$", "$$E=mc^2$$", "\\[E=mc^2\\]", "\\[\nE=mc^2\n\\]"]
)
def test_mathematics_is_rendered_as_mathml(source):
    html = render(f"So\n{source}.")
    assert "<msup><mi>c</mi><mn>2</mn></msup>" in html
    assert ('display="block"' in html) == ("$$" in source or "[" in source)


def test_brackets_in_a_sentence_are_no_mathematics():
    assert render("Take \\[a\\] and \\[b\\].") == "<p>Take [a] and [b].</p>\n"


@pytest.mark.parametrize(
    "source",
    [
        "$5 and $6",
        "US$5/$10",
        "$ a $",
        "a$b$c",
        "\\$x$",
        "from $5-$10 a day",
        "$`a`$",
        "$",
        "$$",
        "\\$5 \\$6",
        "$5, $6",
    ],
)
def test_dollars_of_prices_are_no_mathematics(source):
    assert "<math" not in render(source)


def test_formula_that_cannot_be_converted_is_shown_as_its_source():
    assert text_of(render("So \\(oops\\frac{\\).")) == "So <code>oops\\frac{</code>."
    assert "href" not in render("\\(\\href{javascript:alert(1)}{x}\\)")


def test_tasks_have_checkboxes_that_nobody_can_press():
    html = render("- [ ] open\n- [x] done\n- [y] text")
    assert '<li><input type="checkbox" disabled=""> open</li>' in html
    assert '<li><input type="checkbox" disabled="" checked=""> done</li>' in html
    assert "<li>[y] text</li>" in html


def test_footnotes_stand_at_the_end_with_their_numbers():
    html = render("First[^a], second[^1].\n\n[^1]: One.\n[^a]: *Other*.")
    assert text_of(html) == "First<sup>1</sup>, second<sup>2</sup>."
    assert html.index("<em>Other</em>") < html.index("One.")
    assert "href" not in html
    assert " id=" not in html


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("**「強調」**です", "<strong>「強調」</strong>です"),
        ("**强调。**文字", "<strong>强调。</strong>文字"),
        ('그것은**"강조"**입니다', '그것은<strong>"강조"</strong>입니다'),
        ("これは*（例）*だ", "これは<em>（例）</em>だ"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2<em>3</em>4"),
        ("a**(b)**c", "a**(b)**c"),
    ],
)
def test_emphasis_beside_wide_letters_needs_no_space(source, html):
    assert text_of(render(source)) == html


@pytest.mark.parametrize("source", ["- مرحبا", "1. مرحبا", "> مرحبا", "| مرحبا |\n|-|\n| ب |"])
def test_block_has_the_direction_of_its_own_words(source):
    html = render(f"English.\n\n{source}\n")
    assert html.count('dir="auto"') == 1


#: Text that makes some parsers look again at all that follows, at each of its places.
HOSTILE = [
    "www.", "http://", "a@", "@", "$", "$a ", "\\(", "\\[a", "$$", "<sub>", "</sub>", "<sub></sub>", "**「",
    "*あ", "[^1]", "[^1]: x\n", "- [ ] a\n", "<br>", "https://a.b/(", "://", "a.b.", "$\\", "http://a",
    "「」", "a_",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_time_grows_with_the_length_and_no_faster(unit):
    """Four times the text takes at most about four times as long, or next to nothing."""

    def seconds(length: int) -> float:
        text, times = (unit * length)[:length], []
        for _ in range(2):
            began = time.thread_time()
            clean(module._markdown.render(text))
            times.append(time.thread_time() - began)
        return min(times)

    assert seconds(16_000) < 10 * seconds(4_000) + 0.1
