"""Read from the right, at 400 % zoom, in high contrast, without motion, over a slow line."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.e2e.reading import answers, questions, say, serious, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

ARABIC = """\
هذه خطة قصيرة مع `npm install`:

1. المتحف في الصباح
2. the river in the afternoon

| اليوم | السعر |
|---|---|
| ١ | 12 |

```python
print("from the left")
```

An English paragraph, with a full stop."""
SIDE = "e => getComputedStyle(e).direction"
#: Where the first line of a paragraph's text begins: the gaps to the left and right of it.
GAPS = """e => {
  const range = document.createRange();
  range.selectNodeContents(e);
  const [box, text] = [e.getBoundingClientRect(), range.getBoundingClientRect()];
  return [Math.round(text.left - box.left), Math.round(box.right - text.right)];
}"""


def fits(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"))


def test_text_direction_of_each_block_is_that_of_its_language(page: Page, provider: Provider) -> None:
    provider.script(text=ARABIC)
    say(page, "שלום, מה שלומך היום?")
    said = text_of(answers(page))
    expect(answers(page)).to_have_attribute("data-status", "completed")
    assert text_of(questions(page)).evaluate(SIDE) == "rtl"
    assert said.locator("p").first.evaluate(SIDE) == "rtl"
    left, right = said.locator("p").first.evaluate(GAPS)
    assert left > right == 0
    left, right = said.get_by_text("An English paragraph").evaluate(GAPS)
    assert right > left == 0
    for inside_the_list in said.locator("li").all():
        assert inside_the_list.evaluate(GAPS)[1] == 0, "an English item stays at its number"
    assert said.locator("pre").evaluate(SIDE) == "ltr"
    assert said.locator("p code").evaluate(SIDE) == "ltr"

    # P17: names that people chose, wherever they stand.
    expect(page.locator("#header-title")).to_have_text("שלום, מה שלומך היום?")
    assert page.locator("#header-title").evaluate(SIDE) == "rtl"
    page.locator("#file").set_input_files({"name": "דוח 1", "mimeType": "text/plain", "buffer": b"One."})
    expect(page.locator(".attachment__name:visible")).to_have_text("דוח 1")
    assert page.locator(".attachment__name:visible").evaluate(SIDE) == "rtl"
    page.get_by_role("button", name="Send").click()
    expect(questions(page).last.locator(".attachment")).to_contain_text("\u2068דוח 1\u2069 · ")


def test_page_at_400_per_cent_is_not_cut_off(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    page = visitor(viewport={"width": 320, "height": 256}).new_page()
    page.goto(site.url)
    expect(page.get_by_role("radio").first).to_be_checked()
    assert fits(page)
    say(page, "Wide: " + "x" * 120)
    expect(answers(page)).to_have_attribute("data-status", "completed")
    assert fits(page)
    room = page.locator("#content").evaluate("e => e.clientHeight")
    assert room >= 80, "room to read, beside what always stays"
    for path in ("/account/sign-up", "/care", "/nowhere", "/api/docs"):
        page.goto(site.url + path)
        assert fits(page), path


def test_forced_colours_still_show_the_selection(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    page = visitor(forced_colors="active", contrast="more", reduced_motion="reduce").new_page()
    page.goto(site.url)
    expect(page.get_by_role("radio").first).to_be_checked()
    outlines = page.locator(".companion__card").evaluate_all(
        "all => all.map(e => getComputedStyle(e).outlineStyle)"
    )
    assert outlines == ["solid", "none", "none", "none"]
    assert serious(page) == []
    provider.script(until="it was seen thinking")
    say(page, "Hello.")
    expect(page.locator(".thinking i").first).to_be_visible()
    assert page.locator(".thinking i").first.evaluate("e => getComputedStyle(e).animationName") == "none"


def test_slow_connection_shows_loading_and_accepts_a_message(page: Page, provider: Provider) -> None:
    say(page, "Hello.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    slow = {"offline": False, "latency": 600, "downloadThroughput": 60_000, "uploadThroughput": 30_000}
    line.send("Network.emulateNetworkConditions", slow)
    held: list[Route] = []  # the conversation comes when its loading has been seen
    page.route("**/api/threads/*", lambda route: held.append(route), times=1)
    page.reload(wait_until="commit")
    expect(page.get_by_text("Loading the conversation")).to_be_attached()
    held[0].continue_()
    expect(questions(page)).to_contain_text("Hello.")
    say(page, "Still there?")
    expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")
