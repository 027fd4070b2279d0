"""A conversation on paper or saved as PDF is whole and readable (P19)."""

import io
import re
from collections.abc import Callable
from unicodedata import normalize

from playwright.sync_api import BrowserContext, Page, expect
from pypdf import PdfReader

from tests.e2e.reading import answers, say
from tests.e2e.site import Site
from tests.e2e.test_long_conversation import EARLIER, open_long
from tests.provider.fixture import Provider

ANSWER = """\
## What to see

See [the museum](https://museum.example.org/tiles) and <https://bare.example.org/page>.

| day | morning | afternoon | evening | costs | with whom | and how |
|---|---|---|---|---|---|---|
| 1 | Alfama | Feira da Ladra | Bairro Alto | 12 € | everybody | walking endofrow |

```python
walk("Alfama", "Castelo", "Miradouro da Graça", "Miradouro das Portas do Sol", how="slowly")  # endofcode
```"""


def printed(page: Page) -> list[str]:
    """Return the texts of the pages of paper, of a page that is complete, in one line each."""
    page.wait_for_load_state("networkidle")
    pages = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    return [re.sub(r"\s+", " ", normalize("NFKC", sheet.extract_text())) for sheet in pages]


def test_long_conversation_is_printed_whole_with_what_was_not_loaded(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 120)
    assert page.get_by_role("article").count() == 40
    paper = printed(page)
    text = " ".join(paper)
    assert [n for n in range(120) if not re.search(rf"Message {n}\b", text)] == []
    assert "The very first one." in paper[0]
    assert all(len(sheet) > 200 for sheet in paper[:-1]), "no empty page in between"
    assert "There are more messages" not in text
    for button in ("Copy", "Edit", "Send", "New conversation", "Show earlier", "Download"):
        assert button not in text

    page.reload()
    expect(page.get_by_role("article")).to_have_count(40)
    page.route("**/api/threads/*?before=*", lambda route: route.abort())
    expect(page.get_by_role("button", name=EARLIER)).to_be_attached()
    assert "There are more messages" in " ".join(printed(page)), "what is missing is said"


def test_printed_answer_is_dark_on_white_uncut_and_shows_addresses(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    page = visitor(color_scheme="dark").new_page()
    page.goto(site.url)
    provider.script(text=ANSWER)
    say(page, "What should I see?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    text = " ".join(printed(page))
    assert "the museum (https://museum.example.org/tiles)" in text
    assert text.count("bare.example.org") == 1
    assert "endofrow" in text
    assert "# endofcode" in text

    page.emulate_media(media="print")
    luminance = "e => getComputedStyle(e).color.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0)"
    assert answers(page).locator("h2, p").last.evaluate(luminance) < 300
    for wide in ("pre", ".table"):
        assert answers(page).locator(wide).evaluate("e => e.scrollWidth <= e.clientWidth + 1"), wide
