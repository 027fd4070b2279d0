"""Lost connections, several conversations, other people's conversations."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.e2e.reading import answers, choose, questions, say, spoken, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider

LONG = " ".join(f"word{n}" for n in range(60))


def test_messages_written_offline_are_sent_once_in_one_conversation(page: Page, provider: Provider) -> None:
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    say(page, "Written offline.")
    say(page, "And this, too.")
    expect(questions(page).first).to_contain_text("Saved on this device.")
    page.context.set_offline(False)

    expect(page.get_by_text("Back online.").first).to_be_visible()
    expect(answers(page)).to_have_count(2)
    expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")
    expect(page.locator("#threads .thread")).to_have_count(1)
    assert len(provider.requests) == 2


def test_answer_written_while_offline_is_complete_afterwards(page: Page, provider: Provider) -> None:
    provider.script(text=LONG, delay=0.02, pause_after=6, until="it is offline")
    say(page, "Talk for long.")
    expect(text_of(answers(page))).to_contain_text("word3")
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    provider.release("it is offline")
    provider.wait_for(lambda requests: requests[0].ended)
    page.context.set_offline(False)

    expect(text_of(answers(page))).to_have_text(LONG)
    expect(answers(page)).to_have_attribute("data-status", "completed")


def test_conversation_of_another_visitor_is_not_found(
    page: Page, site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    say(page, "A secret.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    stranger = visitor().new_page()
    stranger.goto(page.url)

    expect(stranger.get_by_role("heading", name="Conversation not found")).to_be_visible()
    expect(stranger.get_by_text("Your conversations will appear here.")).to_be_visible()
    expect(stranger.get_by_text("A secret.")).to_have_count(0)


def test_conversations_are_renamed_found_and_deleted(page: Page, provider: Provider) -> None:
    for companion, text in (("Travel", "Lisbon in spring"), ("Culture", "Greetings in Kyoto")):
        page.get_by_role("link", name="New conversation").first.click()
        choose(page, companion)
        say(page, text)
        expect(answers(page)).to_have_attribute("data-status", "completed")

    rows = page.locator("#threads .thread")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="More for “Lisbon in spring”").click()
    page.get_by_role("button", name="Rename").locator("visible=true").click()
    page.get_by_label("Title of the conversation").fill("Portugal")
    page.keyboard.press("Enter")
    expect(rows.filter(has_text="Portugal")).to_be_visible()

    page.get_by_role("button", name="More for “Portugal”").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download").locator("visible=true").click()
    assert taken.value.suggested_filename == "portugal.md"
    assert taken.value.path().read_text().startswith("# Portugal\n")

    page.keyboard.press("Control+k")
    page.keyboard.type("kyoto")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="More for “Greetings in Kyoto”").click()
    page.get_by_role("button", name="Delete").locator("visible=true").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()
    page.reload()
    expect(rows.locator(".thread__title")).to_have_text(["Portugal"])


def test_conversations_are_grouped_by_day_of_last_message(page: Page, site: Site, provider: Provider) -> None:
    for text in ("Long ago", "Last week", "Just now"):
        page.get_by_role("link", name="New conversation").first.click()
        say(page, text)
        expect(answers(page)).to_have_attribute("data-status", "completed")
    site.run(
        "from datetime import timedelta; from django.utils.timezone import now\n"
        "for title, days in (('Long ago', 400), ('Last week', 5)):\n"
        "    Thread.objects.filter(title=title).update(updated_at=now() - timedelta(days=days))"
    )
    page.reload()
    then = (datetime.now() - timedelta(days=400)).strftime("%B %Y")
    words = page.locator("#threads > li").filter(visible=True)
    said = ("Today", "Just now", "Last 7 days", "Last week", then, "Long ago")
    expect(words).to_have_text([re.compile(rf"^\s*{row}") for row in said])
    page.get_by_label("Find a conversation").fill("ago")
    expect(words).to_have_count(1)
    page.get_by_label("Find a conversation").fill("")
    page.get_by_role("link", name="Long ago").click()
    say(page, "Once more.")
    expect(words.first).to_have_text("Today")
    expect(words.nth(1)).to_contain_text("Long ago")
    expect(page.locator(".threads__day")).to_have_text(["Today", "Last 7 days"])


def test_screen_reader_announces_steps_and_no_text(page: Page, provider: Provider) -> None:
    page.evaluate(
        """() => {
            const region = document.querySelector("#announcer");
            window.heard = [];
            new MutationObserver(() => heard.push(region.textContent)).observe(region, {childList: true});
        }"""
    )
    provider.script(text=LONG, delay=0.02)
    say(page, "Talk.")
    expect(spoken(page)).to_have_text("The Corporate companion has answered.")
    heard = page.evaluate("heard")
    assert heard[-2:] == ["The Corporate companion is answering.", "The Corporate companion has answered."]
    assert not any("word" in sentence for sentence in heard)


def reorder_queued(socket: WebSocketRoute) -> None:
    """Route a socket so that `chat:queued` arrives after `chat:started`: two processes publish them."""
    server = socket.connect_to_server()
    held: list[str | bytes] = []

    def forward(frame: str | bytes) -> None:
        kind = json.loads(frame)["type"]
        if kind == "chat:queued":
            held.append(frame)
            return
        socket.send(frame)
        if kind == "chat:started":
            while held:
                socket.send(held.pop())

    server.on_message(forward)


def test_late_queued_event_does_not_replace_announced_start(page: Page, provider: Provider) -> None:
    page.route_web_socket(re.compile("/ws/"), reorder_queued)
    page.reload()
    provider.script(text=LONG, delay=0.02, pause_after=3, until="heard")
    say(page, "Talk.")
    expect(text_of(answers(page))).to_contain_text("word1")
    expect(spoken(page)).to_have_text("The Corporate companion is answering.")
    provider.release("heard")
    expect(spoken(page)).to_have_text("The Corporate companion has answered.")
