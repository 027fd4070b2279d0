"""The list of conversations: pages that stay, and a search that reaches and shows all (P7, P11, O20)."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from chat.conversations.searching.folding import fold
from tests.chat.conversations.searching.test_folding import OTHER, SAME
from tests.e2e.reading import answers, edit, say
from tests.e2e.site import Site
from tests.provider.fixture import Provider

SEED = """
from datetime import timedelta
from django.utils import timezone
from chat.models import Message, Thread
from queueing.api import new_id
owner, now = {owner!r}, timezone.now()
threads, rows = [], []
for number in range(160):
    at = now - timedelta(hours=160 - number)
    threads.append(Thread(owner=owner, companion="travel", title=f"Talk {{number:03}}", updated_at=at))
    text = f"Une tasse de cafe\\u0301 {{number}}"
    rows.append(Message(id=new_id(), thread=threads[-1], role="user", content=text, job_id=new_id()))
long = "word " * 3000 + "Über **den großen** Fluss " + "word " * 300
rows.append(Message(id=new_id(), thread=threads[80], role="user", content="More?", job_id=(job := new_id())))
rows.append(Message(id=new_id(), thread=threads[80], role="assistant", content=long, job_id=job))
for number in range(60):
    job = new_id()
    for role in ("user", "assistant"):
        content = f"Filling {{number}} " * 20
        rows.append(Message(id=new_id(), thread=threads[80], role=role, content=content, job_id=job))
Thread.objects.bulk_create(threads)
Message.objects.bulk_create(rows)
"""
#: Whether the first place that a search has found is in the part of the conversation on the screen.
MARKED_IN_VIEW = """() => {
    const [range] = CSS.highlights.get("found") ?? [];
    if (!range) return false;
    const [box, place] = [document.querySelector("#content"), range].map((e) => e.getBoundingClientRect());
    return place.height > 0 && place.top >= box.top && place.bottom <= box.bottom && range.toString();
}"""


@pytest.fixture
def many(page: Page, site: Site) -> Page:
    """The page of a visitor with 160 conversations."""
    site.run(SEED.format(owner=page.locator("#app").get_attribute("data-owner")))
    page.reload()
    expect(rows(page)).to_have_count(50)
    return page


def rows(page: Page) -> Locator:
    return page.locator("#threads .thread")


def more(page: Page) -> Locator:
    return page.get_by_role("button", name="Show older")


def numbers(page: Page) -> list[int]:
    """The numbers of the conversations in the list, in its order."""
    found = [re.search(r"Talk (\d+)", text) for text in rows(page).all_text_contents()]
    return [int(match[1]) for match in found if match]


def test_list_keeps_its_pages_whatever_happens(many: Page, provider: Provider) -> None:
    """P11: in two tabs, when one writes in an old conversation, renames one, and deletes one."""
    page, other = many, many.context.new_page()
    other.goto(page.url)
    for tab in (page, other):
        for count in (100, 150):
            more(tab).click()
            expect(rows(tab)).to_have_count(count)
    rows(page).filter(has_text="Talk 020").get_by_role("link").first.click()
    say(page, "Go on, please.")
    expect(answers(page).last).to_have_attribute("data-status", "completed")
    expected = [20, *(number for number in range(159, 9, -1) if number != 20)]
    for tab in (page, other):
        expect(rows(tab).first).to_contain_text("Talk 020")
        expect(rows(tab)).to_have_count(150)
        assert numbers(tab) == expected
    for tab in (page, other):
        more(tab).click()
        expect(rows(tab)).to_have_count(160)
        expect(more(tab)).to_be_hidden()
        expect(rows(tab).last.get_by_role("link").first).to_be_focused()
        assert numbers(tab) == [20, *(number for number in range(159, -1, -1) if number != 20)]


def test_search_reaches_all_hits_and_shows_the_words_in_the_message(many: Page, provider: Provider) -> None:
    """P7, O20: far above in a long conversation, in a message longer than the screen, also a second time."""
    page, field = many, many.get_by_label("Find a conversation")
    field.fill("CAFÉ")
    expect(rows(page).first.locator("mark")).to_have_text("cafe\u0301")
    for count in (50, 100, 150):
        expect(rows(page)).to_have_count(count)
        more(page).click()
    expect(rows(page)).to_have_count(160)
    assert numbers(page) == list(range(159, -1, -1))
    expect(more(page)).to_be_hidden()

    field.fill("talk 080")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator(".thread__title mark")).to_have_text("Talk")

    field.fill('UBER "grossen den fluss"')
    expect(page.get_by_text("No conversation matches.")).to_be_visible()
    field.fill('"GROSSEN Fluss" uber')
    expect(rows(page)).to_have_count(1)
    mark = rows(page).locator(".thread__snippet mark")
    expect(mark).to_have_text("großen** Fluss")
    for _ in range(2):
        rows(page).get_by_role("link").first.click()
        expect(answers(page).filter(has_text="großen")).to_be_focused()
        assert page.wait_for_function(MARKED_IN_VIEW).json_value() == "großen Fluss"
        page.locator("#content").evaluate("e => e.scrollTop = 0")
    line, found = rows(page).locator(".thread__snippet").bounding_box(), mark.bounding_box()
    assert line
    assert found
    assert found["x"] + found["width"] <= line["x"] + line["width"], "in the visible part of the row"
    assert found["y"] + found["height"] <= line["y"] + line["height"] + 2


def test_page_folds_texts_as_the_server_does(page: Page) -> None:
    texts = [text for pair in SAME + OTHER for text in pair if "५" not in text]
    page.get_by_label("Find a conversation").fill("x")  # loads the search
    address = page.wait_for_function(
        """() => performance.getEntriesByType("resource").map(({ name }) => name)
            .find((name) => name.includes("/text/folding"))"""
    ).json_value()
    folded = page.evaluate(
        "async ([address, texts]) => { const { fold } = await import(address); return texts.map(fold); }",
        [address, texts],
    )
    assert folded == [fold(text) for text in texts]


def test_title_follows_the_first_question(page: Page, provider: Provider) -> None:
    """O20: the page has no titles of a model here."""
    say(page, "Three days in Lisbno?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(rows(page)).to_contain_text("Three days in Lisbno?")
    edit(page, 0, "Three days in Lisbon?")
    expect(rows(page)).to_contain_text("Three days in Lisbon?")
    expect(page.locator("#header-title")).to_have_text("Three days in Lisbon?")


def test_tokens_of_an_answer_elsewhere_and_of_a_stopped_one_count_at_once(
    page: Page, provider: Provider
) -> None:
    """O20: until now only the answer on the screen counted, when it was complete."""
    usage = page.locator("#usage")
    provider.script(text="An answer of eight words, or nine. " * 9, pause_after=3, until="elsewhere")
    say(page, "A first question.")
    expect(answers(page)).to_have_attribute("data-status", "active")
    page.get_by_role("link", name="New conversation").first.click()
    expect(usage).to_be_hidden()
    provider.release("elsewhere")
    expect(usage).to_be_visible()
    before = usage.text_content()
    provider.script(text="An answer of eight words, or nine. " * 9, pause_after=3, until="never")
    say(page, "A second question.")
    expect(answers(page)).to_contain_text("An answer")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(answers(page)).to_have_attribute("data-status", "cancelled")
    expect(usage).not_to_have_text(before or "")
