"""Markdown in the page is rendered while the answer streams."""

import json
import re
from urllib.parse import urljoin

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.reading import answers, say, text_of
from tests.provider.fixture import Provider

END = " ".join(f"word{n}" for n in range(60))
MARKDOWN = f"""\
# Two days in Lisbon

Take **tram 28** early, and see [the castle](https://example.org/castle).

- Alfama
- Belém, by *train*

```python
def day(number):
    return f"day {{number}}"
```

| day | where |
|-----|-------|
| one | Alfama |
| two | Belém |

## The end

{END}
"""

#: Collects every block that is followed by others, to check that it stays, and every text with raw markup.
WATCH = """() => {
    window.settled = new Set();
    window.raw = [];
    new MutationObserver(() => {
        const host = document.querySelector(".message--reply .message__text");
        if (!host) return;
        for (const block of [...host.children].slice(0, -2)) window.settled.add(block);
        if (/\\*\\*|```|\\|--|\\]\\(|^#/m.test(host.textContent)) window.raw.push(host.textContent);
    }).observe(document.querySelector("#view"), { childList: true, subtree: true, characterData: true });
}"""
LOST = "() => [...window.settled].filter((block) => !block.isConnected).length"


def test_markdown_is_rendered_while_answer_streams(page: Page, provider: Provider) -> None:
    almost = len(MARKDOWN.split()) - 40
    provider.script(text=MARKDOWN, delay=0.06, pause_after=almost, until="seen")
    page.evaluate(WATCH)
    say(page, "Two days?")
    answer, text = answers(page), text_of(answers(page))

    expect(text.get_by_role("heading", name="Two days in Lisbon")).to_be_visible()
    expect(text.locator("strong", has_text="tram 28")).to_be_visible()
    expect(text.get_by_role("listitem").filter(has_text="Alfama")).to_be_visible()
    expect(text.locator("pre")).to_contain_text("def day")
    expect(text.get_by_role("columnheader", name="where")).to_be_visible()
    expect(text).to_contain_text("word3")
    assert answer.get_attribute("aria-busy") == "true"
    during = text.inner_html()
    provider.release("seen")

    expect(answer).to_have_attribute("aria-busy", "false")
    after = text.inner_html()
    assert after.startswith(during[: during.index("word0")])
    assert page.evaluate("() => window.settled.size") >= 5
    assert page.evaluate(LOST) == 0
    assert page.evaluate("() => window.raw") == []
    page.reload()
    expect(text).to_contain_text("word59")
    assert text.inner_html() == after


def test_selection_stays_and_code_is_copied_while_streaming(page: Page, provider: Provider) -> None:
    provider.script(text=MARKDOWN, delay=0.06, end="stall")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    say(page, "Two days?")
    text = text_of(answers(page))
    expect(text.get_by_role("listitem").filter(has_text="Belém")).to_be_visible()
    text.get_by_role("heading").first.select_text()
    expect(text).to_contain_text("word3")
    assert page.evaluate("() => String(getSelection())") == "Two days in Lisbon"

    text.get_by_role("button", name="Copy").click()
    expect(text.get_by_role("button", name="Copied")).to_be_visible()
    expect(text).to_contain_text("word59")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("def day")
    assert answers(page).get_attribute("aria-busy") == "true"
    page.keyboard.press("Escape")  # otherwise the next test waits for this answer
    expect(answers(page)).to_contain_text("Stopped here.")


def test_stopped_answer_keeps_rendered_markdown(page: Page, provider: Provider) -> None:
    provider.script(text=MARKDOWN, delay=0.06, end="stall")
    page.evaluate(WATCH)
    say(page, "Two days?")
    text = text_of(answers(page))
    expect(text.locator("pre")).to_contain_text("def day")
    page.keyboard.press("Escape")

    expect(answers(page)).to_contain_text("Stopped here.")
    expect(text.get_by_role("heading", name="Two days in Lisbon")).to_be_visible()
    assert page.evaluate(LOST) == 0


def shorten_stopped_answer(socket: WebSocketRoute) -> None:
    """Route a socket so that a stopped answer is stored with less text than was streamed."""
    server = socket.connect_to_server()

    def forward(frame: str | bytes) -> None:
        event = json.loads(frame)
        if event["type"] == "chat:cancelled":
            event |= {"text": "word0 word1", "html": "<p>word0 word1</p>"}
        socket.send(json.dumps(event))

    server.on_message(forward)


def test_stopped_answer_shows_stored_text_only(page: Page, provider: Provider) -> None:
    page.route_web_socket(re.compile("/ws/"), shorten_stopped_answer)
    page.reload()
    provider.script(text=END, delay=0.05, after=8, end="stall")
    say(page, "Stop.")
    expect(text_of(answers(page))).to_contain_text("word5")
    page.keyboard.press("Escape")
    expect(answers(page)).to_contain_text("Stopped here.")
    expect(text_of(answers(page))).to_have_text("word0 word1")


def test_next_attempt_starts_with_empty_text(page: Page, provider: Provider) -> None:
    provider.script(text=MARKDOWN, delay=0.03, after=25, end="cut", pause_after=25, until="seen")
    provider.script(text="A **whole** answer. " + END, delay=0.03)
    say(page, "Two days?")
    text = text_of(answers(page))

    expect(text.get_by_role("heading")).to_be_visible()
    provider.release("seen")
    expect(text.locator("strong", has_text="whole")).to_be_visible()
    expect(text.get_by_role("heading")).to_have_count(0)
    expect(text).to_have_text(f"A whole answer. {END}")


def test_page_needs_less_than_50_kb_of_compressed_script_to_start(page: Page) -> None:
    """Not counted is what `import()` loads when the page works already, as for recordings."""
    expect(page.get_by_label("Your message", exact=True)).to_be_visible()
    page.wait_for_load_state("networkidle")
    loaded: dict[str, int] = dict(
        page.evaluate(
            """() => performance.getEntriesByType("resource")
                .filter(({ name }) => name.endsWith(".js"))
                .map(({ name, encodedBodySize }) => [name, encodedBodySize])"""
        )
    )
    assert any("/voice/" in name for name in loaded)
    waiting = [name for name in loaded if re.search(r"/(main|theme)\.\w+\.js$", name)]
    needed: set[str] = set()
    while waiting:
        needed.add(name := waiting.pop())
        imports = re.findall(r"""\bfrom\s*["']([^"']+)["']""", page.request.get(name).text())
        waiting += {urljoin(name, imported) for imported in imports} - needed
    assert len(needed) > 30
    assert needed <= loaded.keys()
    assert sum(loaded[name] for name in needed) < 50_000
