"""Answers that fail: what was said stays (K9), and what can be done is said (K10)."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from chat.protocol.failures import FAILURES
from tests.e2e.reading import answers, editor, looks, say, serious, text_of
from tests.e2e.site import Site
from tests.e2e.test_long_conversation import LOAD_ALL
from tests.provider.fixture import Provider

HALF = "Take tram 28 early in the morning"
#: A question for each code, that failed with it after the beginning of its answer.
SEED = """
from django.utils import timezone
from chat.models import Message, Thread
from chat.protocol.failures import FAILURES
from queueing.api import Job, new_id
thread = Thread.objects.get(id="{thread}")
for code in FAILURES:
    now = timezone.now()
    job = Job.objects.create(kind="chat.reply", queue="openai-chat", owner=thread.owner, state="failed",
        priority=2, error="Because of " + code + ".", error_code=code, created_at=now, finished_at=now,
        meta={{"threadId": thread.id.hex}})
    for role, text in (("user", "About " + code), ("assistant", "{half}")):
        Message.objects.create(id=new_id(), thread=thread, role=role, content=text, job_id=job.id,
            is_incomplete=role == "assistant")
"""


@looks(390, 1280)
def test_broken_answer_stays_on_the_page_until_a_retry_replaces_it(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, width: int, theme: str
) -> None:
    page = visitor(viewport={"width": width, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    provider.script(text=f"{HALF}, and then", after=7, end="content_filter")
    say(page, "What about Lisbon?")

    answer = answers(page)
    expect(answer).to_have_attribute("data-status", "failed")
    expect(text_of(answer)).to_contain_text(HALF)
    expect(answer).to_contain_text("The content filter blocked the answer.")
    page.reload()
    expect(text_of(answer)).to_contain_text(HALF)
    expect(answer).to_contain_text("The content filter blocked the answer.")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []


def test_retry_replaces_what_was_said(page: Page, provider: Provider) -> None:
    provider.script(text=f"{HALF}, and then", after=7, end="cut")
    provider.script(status=500, times=2)
    say(page, "What about Lisbon?")

    answer = answers(page)
    expect(answer).to_have_attribute("data-status", "failed", timeout=40_000)
    expect(text_of(answer)).to_contain_text(HALF)
    expect(answer).to_contain_text("Your message is saved. Try again now or later.")
    provider.script(text="Take the metro.")
    answer.get_by_role("button", name="Try again").click()
    expect(text_of(answer)).to_have_text("Take the metro.")
    expect(answer).to_have_attribute("data-status", "completed")


def test_retry_is_not_offered_where_it_cannot_help(page: Page, provider: Provider) -> None:
    provider.script(status=401, code="invalid_api_key")
    say(page, "What about Lisbon?")

    answer = answers(page)
    expect(answer).to_contain_text("The companion's model account is not set up correctly.")
    expect(answer).to_contain_text("Trying again cannot help until the operator of this site has acted.")
    expect(answer.get_by_role("button", name="Try again")).to_be_hidden()
    page.reload()
    expect(answer).to_contain_text("Trying again cannot help until the operator of this site has acted.")
    expect(answer.get_by_role("button", name="Try again")).to_be_hidden()


def test_each_failure_offers_what_can_help_and_nothing_else(
    site: Site, page: Page, provider: Provider
) -> None:
    """K10: the buttons of all codes, after a reload; what was said stays with each (K9)."""
    say(page, "Hello.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    thread = page.url.rpartition("/")[2]
    site.run(SEED.format(thread=thread, half=HALF))
    page.reload()
    expect(text_of(answers(page).last)).to_have_text(HALF)
    page.evaluate(LOAD_ALL)
    for code, failure in reversed(FAILURES.items()):
        answer = answers(page).filter(has_text=f"Because of {code}.")
        expect(text_of(answer)).to_have_text(HALF)
        expect(answer).to_contain_text("The answer above is incomplete.")
        card = answer.locator(".state__card")
        expect(card).to_contain_text(failure.advice)
        shown = [(b.text_content() or "").strip() for b in card.locator("button, a").all() if b.is_visible()]
        offers = {"edit": "Edit the message", "new": "New conversation"}
        expected = [*["Try again"] * failure.can_retry, *filter(None, [offers.get(failure.offer)])]
        assert shown == expected, code
    export = page.request.get(f"{site.url}/api/threads/{thread}/transcript.md").text()
    assert export.count("This answer is incomplete.") == len(FAILURES)

    refused = answers(page).filter(has_text="Because of content_filter.")
    refused.get_by_role("button", name="Edit the message").click()
    expect(editor(page)).to_have_value("About content_filter")
    expect(editor(page)).to_be_focused()
