"""An answer looks the same while it is written and afterwards, and nothing of it is rendered twice."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chat.markdown.partial import has_definitions, render_open, settled
from chat.markdown.render import TAGS, parser, render

#: What Markdown is made of, to be thrown together.
PIECES = st.sampled_from(
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
        ),
    ]
)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.data())
@example("para\n#hashtag", None)
@example("para\n-1 is less", None)
@example("- a\n\n-b", None)
def test_what_is_settled_renders_the_same_whatever_comes(text, data):
    cut = data.draw(st.integers(0, len(text))) if data else text.index("\n") + 2
    if has_definitions(text):
        return
    length = settled(text[:cut])
    assert render(text[:length]) + render(text[length:]) == render(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 30), min_size=1))
def test_a_text_settled_piece_by_piece_is_the_whole(text, steps):
    if has_definitions(text):
        return
    html, offset, at, turn = "", 0, 0, 0
    while at < len(text):
        at += steps[turn % len(steps)]
        turn += 1
        more = settled(text[offset:at])
        html += render(text[offset : offset + more])
        offset += more
    assert html + render(text[offset:]) == render(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
@example("> - [a\nb]: /x")
@example("[a\\]b]:\n/x")
def test_no_definition_goes_unnoticed(text):
    env: dict = {}
    parser().parse(text, env)
    assert has_definitions(text) or not env.get("references")


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_what_is_open_is_as_safe_as_the_whole(text):
    html = render_open(text).html
    names = {tag.split()[0].strip("/") for tag in re.findall(r"<([^>]*)>", html)}
    assert names <= TAGS


def test_an_answer_of_many_blocks_is_settled_up_to_the_last():
    text = "# Plan\n\n- one\n- two\n\nSome words\nand more.\n\n```py\nx = [1]\n```\n\nThe en"
    assert text[settled(text) :] == "```py\nx = [1]\n```\n\nThe en"
    assert text[settled(text + "d.\n") :] == "The en"


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
        ("> **quo", "<blockquote>\n<p><strong>quo</strong></p>\n</blockquote>\n"),
        ("- one\n- **tw", "<ul>\n<li>one</li>\n<li><strong>tw</strong></li>\n</ul>\n"),
        ("- one\n-", "<ul>\n<li>one</li>\n</ul>\n"),
        ("Words\n--", "<p>Words</p>\n"),
        ("Words\n##", "<p>Words</p>\n"),
        ("| a | b |", ""),
        ("| a | b |\n|--", ""),
        ("2*3 is snake_case", "<p>2*3 is snake_case</p>\n"),
        ("`a **b` is", "<p><code>a **b</code> is</p>\n"),
        ("", ""),
    ],
)
def test_what_is_open_looks_as_it_will(text, html):
    assert render_open(text).html == html


def test_a_table_is_there_with_its_second_line():
    assert "<th>a</th>" in render_open("| a | b |\n|---|---|\n").html
    assert "<td><strong>2</strong></td>" in render_open("| a | b |\n|---|---|\n| 1 | **2").html


@pytest.mark.parametrize(
    "text", ["Some words", "Some **words", "- one\n- two", "```\nx = 1", "```\nx = 1\n", "Yes."]
)
def test_words_go_on_where_they_stop(text):
    assert render_open(text).goes_on


@pytest.mark.parametrize(
    "text", ["", "Some ", "**Some**", "a\n\n", "a\n1", "|a|\n|-|\n|b", "```\nx\n```\n", "`x", "[x"]
)
def test_nothing_is_said_to_go_on_that_may_not(text):
    assert not render_open(text).goes_on


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
def test_no_text_takes_long(part):
    text = "a\n" + part * (10_000 // len(part)) + "x"
    # A machine that others share has its bad moments, but not three.
    assert any(_seconds(text) < 0.6 for _ in range(3))


def _seconds(text):
    """Of this thread's processor time, what one look at an unfinished text takes."""
    began = time.thread_time()
    has_definitions(text)
    settled(text)
    render_open(text)
    return time.thread_time() - began
