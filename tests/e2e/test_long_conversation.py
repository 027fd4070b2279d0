"""A conversation of very many messages: read in pages, light, and the reader's place stays (S22)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import CDPSession, Page, expect

from tests.e2e.reading import answers, edit, questions, say, spoken, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

SEED = """
from chat.models import Message, Thread
from queueing.api import new_id
thread, rows = Thread.objects.get(id="{thread}"), []
for number in range({messages}):
    job = job if number % 2 else new_id()
    more = "**about** the sea, the river and `code`. " * (1 + number % 7)
    text, role = (more, "assistant") if number % 2 else ("", "user")
    text = f"Message {{number}} {{text}}" + ("heron" if number == 20 else "")
    rows.append(Message(id=new_id(), thread=thread, role=role, content=text, job_id=job))
Message.objects.bulk_create(rows)
"""
BEGINNING = "Beginning of the conversation"
EARLIER = "Show earlier messages"
#: Scrolls up to the beginning and back to the end.
LOAD_ALL = """async () => {
    const scroller = document.querySelector("#content");
    const frame = () => new Promise(requestAnimationFrame);
    while (!document.querySelector(".history p")?.textContent) {
        scroller.scrollTop = 0;
        await frame();
    }
    scroller.scrollTop = scroller.scrollHeight;
}"""
#: The number of messages that the browser draws.
DRAWN = """[...document.querySelectorAll("#view article")].filter(
    (e) => e.firstElementChild.checkVisibility({ contentVisibilityAuto: true })).length"""
LONG = " ".join(f"word{n}" for n in range(80))


def open_long(page: Page, site: Site, messages: int) -> None:
    """Open a conversation of a question, its answer, and so many more messages."""
    say(page, "The very first one.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.wait_for_url("**/t/*")
    site.run(SEED.format(thread=page.url.rpartition("/")[2], messages=messages))
    page.reload()
    expect(message(page, messages - 1)).to_be_in_viewport()


def message(page: Page, number: int):
    return page.get_by_role("article").filter(has_text=re.compile(rf"Message {number}\s"))


def scroll_to(page: Page, top: str) -> None:
    page.locator("#content").evaluate(f"e => e.scrollTop = {top}")


def place_of(page: Page, number: int) -> float:
    """Where a message stands on the screen."""
    box = message(page, number).bounding_box()
    assert box is not None
    return box["y"]


def read_up_to_the_beginning(page: Page) -> None:
    beginning = page.get_by_text(BEGINNING)
    while not beginning.is_visible():
        count = page.get_by_role("article").count()
        scroll_to(page, "0")
        script = "n => document.querySelectorAll('#view article').length > n"
        page.wait_for_function(script, arg=count)


def layouts(line: CDPSession) -> int:
    """How often the browser has laid out the page so far."""
    metrics = line.send("Performance.getMetrics")["metrics"]
    return int(next(metric["value"] for metric in metrics if metric["name"] == "LayoutCount"))


@contextmanager
def requests_of_pages(page: Page) -> Iterator[list[str]]:
    """The addresses from which messages are requested meanwhile."""
    asked: list[str] = []

    def note(request) -> None:
        if re.search(r"/api/threads/[0-9a-f]{32}", request.url):
            asked.append(request.url)

    page.on("request", note)
    yield asked
    page.remove_listener("request", note)


def test_earlier_messages_are_loaded_before_the_reader_gets_there_and_nothing_moves(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 120)
    assert page.get_by_role("article").count() == 40
    with requests_of_pages(page) as asked:
        scroll_to(page, "700")
        seen = next(n for n in range(80, 120) if place_of(page, n) > 60)
        place = place_of(page, seen)
        expect(page.get_by_role("article")).to_have_count(80)
        assert abs(place_of(page, seen) - place) < 1
        assert len(asked) == 1
    read_up_to_the_beginning(page)
    expect(page.get_by_role("article")).to_have_count(122)
    expect(questions(page).first).to_contain_text("The very first one.")
    order = [re.findall(r"Message (\d+)", text) for text in page.get_by_role("article").all_text_contents()]
    assert [int(numbers[0]) for numbers in order if numbers] == list(range(120))
    page.locator("#content").hover()
    page.mouse.wheel(0, 400)
    expect(page.get_by_role("button", name="Jump to the latest")).to_be_visible()


def test_earlier_messages_are_reached_by_keyboard_and_a_failure_is_said(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 60)
    earlier_pages = "**/api/threads/*?before=*"
    page.route(earlier_pages, lambda route: route.abort())  # each: a new connection asks again by itself
    scroll_to(page, "0")
    expect(spoken(page)).to_have_text("These messages could not be loaded. Please try again.")
    assert page.get_by_role("article").count() == 40
    page.unroute(earlier_pages)
    page.get_by_role("button", name=EARLIER).focus()
    page.keyboard.press("Enter")
    expect(spoken(page)).to_have_text("More messages loaded.")
    expect(page.get_by_role("article")).to_have_count(62)
    expect(page.get_by_text(BEGINNING)).to_be_focused()
    expect(page.get_by_role("button", name=EARLIER)).to_be_hidden()


def test_reader_above_is_not_moved_by_an_answer_in_progress(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 120)
    provider.script(text=LONG, pause_after=10, until="the reader has scrolled up")
    say(page, "Go on, please.")
    expect(text_of(answers(page).last)).to_contain_text("word5")
    expect(answers(page).last).to_be_in_viewport()
    scroll_to(page, "1500")
    expect(page.get_by_role("button", name="Jump to the latest")).to_be_visible()
    seen = next(n for n in range(80, 120) if place_of(page, n) > 60)
    place = place_of(page, seen)
    provider.release("the reader has scrolled up")
    expect(answers(page).last).to_have_attribute("data-status", "completed")
    assert abs(place_of(page, seen) - place) < 1
    page.get_by_role("button", name="Jump to the latest").click()
    expect(text_of(answers(page).last)).to_contain_text("word79")
    expect(answers(page).last).to_be_in_viewport()


def test_search_leads_to_a_message_far_above(page: Page, site: Site, provider: Provider) -> None:
    open_long(page, site, 200)
    page.get_by_label("Find a conversation").fill("heron")
    link = page.locator("#threads a").first
    expect(link.locator("mark")).to_be_visible()
    link.click()
    expect(message(page, 20)).to_be_in_viewport()
    expect(message(page, 20)).to_be_focused()
    expect(message(page, 199)).to_have_count(0)
    page.reload()
    expect(message(page, 20)).to_be_focused()

    say(page, "And now?")  # what is written belongs to the end
    expect(answers(page).last).to_contain_text("“And now?”")
    expect(answers(page).last).to_be_in_viewport()
    expect(message(page, 199)).to_be_attached()
    expect(message(page, 20)).to_have_count(0)
    assert "#" not in page.url


def test_later_messages_follow_when_the_reader_goes_on_from_an_old_one(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 100)
    asked = page.evaluate("async () => (await (await fetch('/api/threads?q=heron')).json()).threads[0]")
    page.goto(f"{site.url}/t/{asked['id']}#{asked['messageId']}")
    expect(message(page, 20)).to_be_focused()
    page.wait_for_function(  # each page is loaded before the reader gets to the end of what is shown
        """() => {
            const scroller = document.querySelector("#content");
            scroller.scrollTop = scroller.scrollHeight;
            const shown = [...document.querySelectorAll("#view article")];
            return shown.some((e) => e.textContent.includes("Message 99"));
        }""",
        polling=100,
    )
    expect(page.get_by_role("button", name="Show later messages")).to_be_hidden()


def test_edit_in_an_earlier_page_replaces_everything_after_it(
    page: Page, site: Site, provider: Provider
) -> None:
    open_long(page, site, 60)
    say(page, "Are you there?")  # from the answer on, the page is connected
    expect(answers(page).last).to_contain_text("“Are you there?”")
    read_up_to_the_beginning(page)
    edit(page, 3, "Something else.")
    expect(page.get_by_role("article")).to_have_count(8)
    expect(answers(page).last).to_contain_text("“Something else.”")
    page.reload()
    expect(page.get_by_role("article")).to_have_count(8)


def test_lost_connection_keeps_what_was_loaded(page: Page, site: Site, provider: Provider) -> None:
    open_long(page, site, 120)
    say(page, "Are you there?")  # from the answer on, the page is connected
    expect(answers(page).last).to_contain_text("“Are you there?”")
    scroll_to(page, "0")
    expect(page.get_by_role("article")).to_have_count(82)
    with page.expect_response(re.compile("/api/threads/[0-9a-f]{32}$")):
        page.context.set_offline(True)
        expect(page.get_by_text("You are offline.").first).to_be_visible()
        page.context.set_offline(False)
    expect(page.get_by_text("Back online.").first).to_be_visible()
    assert page.get_by_role("article").count() >= 82


def test_thousand_messages_are_not_drawn_while_an_answer_streams(
    page: Page, site: Site, provider: Provider
) -> None:
    """P15: what is out of view is not laid out, and a piece of text touches one message.

    Locators by role or label are not used: they look into each message, which takes seconds.
    """
    open_long(page, site, 1000)
    page.evaluate(LOAD_ALL)
    page.wait_for_function(
        f"() => {DRAWN} < 100 && document.querySelectorAll('#view article').length === 1002"
    )
    page.evaluate("""() => {
        window.touched = new Set();
        new MutationObserver((changes) => {
            for (const { target } of changes) window.touched.add(target.parentElement?.closest("article"));
        }).observe(document.querySelector("#view"), {
            attributes: true, characterData: true, childList: true, subtree: true });
    }""")
    line = page.context.new_cdp_session(page)
    line.send("Performance.enable")
    before = layouts(line)
    page.evaluate("""() => {
        window.frames_drawn = 0;
        const count = () => requestAnimationFrame(() => (window.frames_drawn += 1, count()));
        count();
    }""")
    provider.script(text=LONG, delay=0.01)
    page.locator("#message").fill("Go on, please.")
    page.locator("#message").press("Enter")
    page.wait_for_function(
        """() => {
            const last = [...document.querySelectorAll("#view article")].at(-1);
            return last.dataset.status === "completed" && last.textContent.includes("word79");
        }"""
    )
    assert page.evaluate("() => [...window.touched].filter(Boolean).length") <= 4
    together = "() => [...document.querySelectorAll('#view .messages')].at(-1).childElementCount"
    assert page.evaluate(together) <= 12, "few messages are laid out with each piece"
    assert layouts(line) - before <= 2 * page.evaluate("() => window.frames_drawn") + 20
