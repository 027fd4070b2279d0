"""Rendering of unfinished Markdown: equal to the final rendering, without rendering settled blocks twice."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.markdown.partial import has_definitions, render_open, settled_length
from chat.markdown.render import TAGS, parser, render

#: Fragments of Markdown that are combined at random.
FRAGMENTS = st.sampled_from(
    [
        *(
            "a",
            "b c",
            "1",
            "é 🙂",
            " ",
            "  ",
            "    ",
            "\t",
            "\n",
            "\n",
            "\n\n",
            "\r\n",
            "\r",
            "\0",
            "\u2028",
            "\x0b",
        ),
        *(
            "#",
            "# ",
            "### x",
            "- ",
            "-",
            "---",
            "* ",
            "***",
            "+ ",
            "1. ",
            "2) ",
            "> ",
            ">",
            "=",
            "===",
            "\n```\n",
        ),
        *(
            "```",
            "~~~",
            "```py\n",
            "    x\n",
            "*",
            "**",
            "_",
            "__",
            "~~",
            "`",
            "``",
            "\\",
            "|",
            "|-|-|\n",
            "| a | b |\n",
        ),
        *(
            "[",
            "]",
            "(",
            ")",
            "[x]",
            "[x]: ",
            "[x]: /u\n",
            "](https://a.b)",
            "!",
            "<b>",
            "<script>",
            "</p>",
            "<!--",
            "&amp;",
            "http://x.y",
            "https://x.y/",
            "www.x.y",
            "a@b.org",
            "$",
            "$$",
            "\\(",
            "\\)",
            "<br>",
            "<sub>",
            "</sub>",
            "「",
            "[ ] ",
            "[^1]",
        ),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.data())
@example("para\n#hashtag", None)
@example("para\n-1 is less", None)
@example("- a\n\n-b", None)
def test_settled_text_renders_the_same_with_any_continuation(text, data):
    cut = data.draw(st.integers(0, len(text))) if data else text.index("\n") + 2
    if has_definitions(text):
        return
    length = settled_length(text[:cut])
    assert render(text[:length]) + render(text[length:]) == render(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 30), min_size=1))
def test_text_settled_in_steps_renders_like_the_whole(text, steps):
    if has_definitions(text):
        return
    html, offset, at, step = "", 0, 0, 0
    while at < len(text):
        at += steps[step % len(steps)]
        step += 1
        more = settled_length(text[offset:at])
        html += render(text[offset : offset + more])
        offset += more
    assert html + render(text[offset:]) == render(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("> - [a\nb]: /x")
@example("[a\\]b]:\n/x")
def test_link_definition_is_always_detected(text):
    env: dict = {}
    parser().parse(text, env)
    assert has_definitions(text) or not env.get("references")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_open_html_has_only_allowed_tags(text):
    html = render_open(text).html
    names = {tag.split()[0].strip("/") for tag in re.findall(r"<([^>]*)>", html)}
    assert names <= TAGS


def test_answer_is_settled_up_to_its_last_block():
    text = "# Plan\n\n- one\n- two\n\nSome words\nand more.\n\n```py\nx = [1]\n```\n\nThe en"
    assert text[settled_length(text) :] == "```py\nx = [1]\n```\n\nThe en"
    assert text[settled_length(text + "d.\n") :] == "The en"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("It is **bol", "<p>It is <strong>bol</strong></p>\n"),
        ("It is **bold*", "<p>It is <strong>bold</strong></p>\n"),
        ("It is **", "<p>It is</p>\n"),
        ("It is ***so", "<p>It is <em><strong>so</strong></em></p>\n"),
        ("~~gone", "<p><s>gone</s></p>\n"),
        ("Call `run(", "<p>Call <code>run(</code></p>\n"),
        ("See [the gui", "<p>See the gui</p>\n"),
        ("See [the guide](https://exa", "<p>See the guide</p>\n"),
        ("```python\nx = 1", '<pre><code class="language-python">x = 1</code></pre>\n'),
        ("```\nx = 1\n``", "<pre><code>x = 1</code></pre>\n"),
        ("> **quo", '<blockquote dir="auto">\n<p><strong>quo</strong></p>\n</blockquote>\n'),
        ("- one\n- **tw", '<ul dir="auto">\n<li>one</li>\n<li><strong>tw</strong></li>\n</ul>\n'),
        ("- one\n-", '<ul dir="auto">\n<li>one</li>\n</ul>\n'),
        ("So \\(E=m", "<p>So</p>\n"),
        ("So $$\\int_0", "<p>So</p>\n"),
        ("Words\n--", "<p>Words</p>\n"),
        ("Words\n##", "<p>Words</p>\n"),
        ("| a | b |", ""),
        ("| a | b |\n|--", ""),
        ("2*3 is snake_case", "<p>2*3 is snake_case</p>\n"),
        ("`a **b` is", "<p><code>a **b</code> is</p>\n"),
        ("so \\(a", "<p>so</p>\n"),
        ("so $$a", "<p>so</p>\n"),
        ("so \\(a $$", "<p>so</p>\n"),
        ("so \\\\(a", "<p>so \\(a</p>\n"),
        ("so $$" + "a" * 1001, "<p>so $$" + "a" * 1001 + "</p>\n"),
        ("", ""),
    ],
)
def test_open_markup_is_closed_or_deferred(text, html):
    assert render_open(text).html == html


@pytest.mark.parametrize("formula", ["\\(a\\)", "$$a$$", "$$a$$ and \\(b\\)", "$$a$$ and $$b$$"])
def test_text_after_a_whole_formula_is_shown(formula):
    """The second `$$` is an end, not the begin of another formula."""
    assert render_open(f"so {formula} is good").html == render(f"so {formula} is good")


def test_table_appears_with_its_second_line():
    assert "<th>a</th>" in render_open("| a | b |\n|---|---|\n").html
    assert "<td><strong>2</strong></td>" in render_open("| a | b |\n|---|---|\n| 1 | **2").html


@pytest.mark.parametrize(
    "text", ["Some words", "Some **words", "- one\n- two", "```\nx = 1", "```\nx = 1\n", "Yes."]
)
def test_open_html_continues_after_plain_end(text):
    assert render_open(text).continues


@pytest.mark.parametrize(
    "text", ["", "Some ", "**Some**", "a\n\n", "a\n1", "|a|\n|-|\n|b", "```\nx\n```\n", "`x", "[x"]
)
def test_open_html_does_not_continue_after_ambiguous_end(text):
    assert not render_open(text).continues


@pytest.mark.parametrize(
    "part",
    [
        ">",
        " ",
        "\t",
        "\n",
        "*",
        "**a ",
        "_",
        "~",
        "`",
        "` ``",
        "[",
        "[a](",
        "![",
        "[a\n",
        "\\",
        "|",
        "-",
        "1.",
        "#",
        ">\n",
    ],
)
def test_partial_rendering_time_is_limited(part):
    text = "a\n" + part * (10_000 // len(part)) + "x"
    # A shared machine may be slow for a moment, but not three times.
    assert any(_seconds(text) < 0.6 for _ in range(3))


def _seconds(text):
    """Return the CPU seconds of this thread for one rendering of an unfinished text."""
    started = time.thread_time()
    has_definitions(text)
    settled_length(text)
    render_open(text)
    return time.thread_time() - started
