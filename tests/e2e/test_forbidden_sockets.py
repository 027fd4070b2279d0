"""P5: networks that forbid WebSockets or hold back what is streamed, and six connections to a host."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.reading import answers, edit, questions, say, text_of
from tests.e2e.site import Site
from tests.provider.fixture import Provider
from tests.support.http_proxy import HttpProxy
from tests.support.valkey import wait_until

LONG = " ".join(f"word{n}" for n in range(60))


@pytest.fixture
def proxy(site: Site) -> Iterator[HttpProxy]:
    found = HttpProxy(urlsplit(site.url).port or 80)
    yield found
    found.close()


def opened(context: BrowserContext, proxy: HttpProxy, path: str = "") -> Page:
    page = context.new_page()
    page.goto(proxy.url + path)
    expect(page.get_by_label("Your message", exact=True)).to_be_enabled()
    return page


def test_page_without_sockets_does_all_that_it_does_with_them(
    proxy: HttpProxy, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    context = visitor()
    page = opened(context, proxy)
    text = f"## Two days\n\n{LONG}"
    provider.script(text=text, delay=0.02, pause_after=20, until="rendered")
    say(page, "Can you hear me?")
    expect(answers(page).get_by_role("heading", name="Two days")).to_be_visible()
    expect(page.locator("#banner")).to_be_hidden()
    other = opened(context, proxy, urlsplit(page.url).path)
    expect(text_of(answers(other))).to_contain_text("word3")
    wait_until(lambda: proxy.streams == 1, "one stream for both tabs")
    provider.release("rendered")
    for one in (page, other):
        expect(answers(one)).to_have_attribute("data-status", "completed")
        expect(text_of(answers(one))).to_contain_text("word59")

    provider.script(text=LONG, after=6, end="stall")
    say(other, "A long one, please.")
    expect(answers(other).nth(1)).to_have_attribute("data-status", "active")
    say(other, "And aftrewards?")
    edit(other, 2, "And afterwards?")
    expect(text_of(questions(other)).nth(2)).to_have_text("And afterwards?")
    say(other, "And then?")
    questions(other).nth(3).get_by_role("button", name="Delete").click()
    expect(questions(other)).to_have_count(3)
    other.get_by_role("button", name="Stop").click()
    expect(answers(other).nth(1)).to_contain_text("Stopped here.")
    expect(answers(other).nth(2)).to_have_attribute("data-status", "completed")
    expect(text_of(questions(page)).nth(2)).to_have_text("And afterwards?")


def test_seven_tabs_without_sockets_leave_connections_for_stop(
    proxy: HttpProxy, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    context = visitor()
    tabs = [opened(context, proxy) for _ in range(7)]
    wait_until(lambda: proxy.streams == 1, "one stream for all tabs")
    for number in (0, 6):
        provider.script(text=LONG, after=6, end="stall")
        page = tabs[number]
        page.bring_to_front()
        say(page, "A long one, please.")
        expect(text_of(answers(page))).to_contain_text("word3")
        page.get_by_role("button", name="Stop").click()
        expect(answers(page)).to_contain_text("Stopped here.")
        assert proxy.streams <= 1
    expect(tabs[3].locator("#threads .thread")).to_have_count(2)


@pytest.mark.parametrize("upgrade", ["refused", "swallowed"])
def test_proxy_that_holds_back_streams_is_noticed_and_asked_again_and_again(
    upgrade: str, proxy: HttpProxy, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    proxy.holds_back, proxy.upgrade = True, upgrade
    page = opened(visitor(), proxy)
    provider.script(text=LONG, pause_after=20, until="half is shown")
    say(page, "Can you hear me?")
    expect(page.get_by_text("Your network holds live updates back.")).to_be_visible()
    expect(text_of(answers(page))).to_contain_text("word15")
    provider.release("half is shown")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(text_of(answers(page))).to_have_text(LONG)
    provider.script(text=LONG, after=6, end="stall")
    say(page, "Once more.")
    expect(text_of(answers(page).nth(1))).to_contain_text("word3")
    page.get_by_role("button", name="Stop").click()
    expect(answers(page).nth(1)).to_contain_text("Stopped here.")
    assert proxy.streams == 0


def test_sockets_that_work_again_take_over(
    proxy: HttpProxy, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    context = visitor()
    context.clock.install()
    page = opened(context, proxy)
    wait_until(lambda: proxy.streams == 1, "the stream")
    provider.script(text=LONG, pause_after=20, until="over the socket")
    say(page, "In two ways, please.")
    expect(text_of(answers(page))).to_contain_text("word15")
    proxy.upgrade = "allowed"
    page.clock.fast_forward(61_000)
    wait_until(lambda: proxy.streams == 0, "the end of the stream")
    provider.release("over the socket")
    expect(text_of(answers(page))).to_have_text(LONG)
    expect(answers(page)).to_have_attribute("data-status", "completed")
    posts = len([line for line in proxy.requests if line.startswith("POST /api/connection")])
    say(page, "And over the socket?")
    expect(answers(page).nth(1)).to_have_attribute("data-status", "completed")
    assert len([line for line in proxy.requests if line.startswith("POST /api/connection")]) == posts


def test_session_that_ends_without_sockets_is_said(
    proxy: HttpProxy, site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    page = opened(visitor(), proxy)
    say(page, "Keep me.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.reload()
    expect(answers(page)).to_have_attribute("data-status", "completed")
    expect(page.locator("#threads .thread")).to_have_count(1)
    wait_until(lambda: proxy.streams == 1, "the stream")
    site.end_sessions()
    expect(page.get_by_text("Your session has ended.").first).to_be_visible()
