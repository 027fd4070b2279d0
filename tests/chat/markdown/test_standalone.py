"""Messages that stand one after the other in a file (P18)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from chat.markdown.standalone import standalone
from tests.chat.markdown.test_partial import TEXTS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("```\nx\n\n\n", "```\nx\n```"),
        ("~~~~\nx\n~~~", "~~~~\nx\n~~~\n~~~~"),
        ("```\nx\n```", "```\nx\n```"),
        ("# Plan\n\nText", "### Plan\n\nText"),
        ("###### Deep", "###### Deep"),
        ("Plan\n====\n\nText", "### Plan\n\nText"),
        ("Plan\nof two lines\n---", "#### Plan of two lines"),
        ("> # Quoted", "> ### Quoted"),
        ("- # Item", "- ### Item"),
        ("```\n# no heading\n```", "```\n# no heading\n```"),
        ("See <!-- this\n\nand", "See <!-- this\n\nand"),
        ("<!-- this\n\nand", "\\<!-- this\n\nand"),
        ("<script>\n\nx", "\\<script>\n\nx"),
        ("<!-- a -->\n\n<pre>", "<!-- a -->\n\n\\<pre>"),
        ("Plain *text*.", "Plain *text*."),
        ("", ""),
    ],
)
def test_text_ends_where_it_ends_and_has_lower_headings(text, expected):
    assert standalone(text) == expected


@given(TEXTS.filter(lambda text: "\0" not in text), st.sampled_from(["", "\n", "```", "<!--", "<pre>"]))
def test_what_follows_any_text_is_a_paragraph_of_its_own(text, end):
    html = MarkdownIt("commonmark").render(f"{standalone(text + end)}\n\n## Next\n\nafter")
    assert html.endswith("<h2>Next</h2>\n<p>after</p>\n")
    assert "<h1>" not in html
