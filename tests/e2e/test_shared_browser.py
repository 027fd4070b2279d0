"""S16: what waits on a device has an owner. Another person who signs in there neither sees nor sends it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.e2e.reading import answers, questions, say
from tests.e2e.site import Site
from tests.e2e.test_account import sign_up
from tests.provider.fixture import Provider

SECRET = "My secret about herons"
STORED = "localStorage.getItem('buddy.outbox') ?? ''"


def silent(page: Page) -> None:
    """Let the page's socket open, and stay without a greeting, also over HTTP."""
    page.route_web_socket("**/ws/", lambda socket: None)
    page.route("**/api/connection", lambda route: route.abort())


def sign_out(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/account/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()  # the page of a visitor


def write_unsent(page: Page, site: Site, text: str = SECRET) -> None:
    """Write a message before the server has greeted the page."""
    silent(page)
    page.goto(site.url)
    say(page, text)
    expect(questions(page)).to_contain_text(text)
    assert text in page.evaluate(STORED)


def expect_nothing_of_it(page: Page, site: Site, provider: Provider) -> None:
    """Send something else: then everything that waits has been sent, too."""
    page.goto(site.url)
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()
    expect(page.get_by_text(SECRET)).to_have_count(0)
    say(page, "Something else.")
    expect(answers(page)).to_contain_text("“Something else.”")
    expect(page.get_by_text(SECRET)).to_have_count(0)
    assert not any(SECRET in str(request.json) for request in provider.requests)


@pytest.fixture
def shared(visitor: Callable[..., BrowserContext]) -> BrowserContext:
    """The browser that several people use, one after the other."""
    return visitor()


def test_message_written_before_the_greeting_is_not_the_next_persons(
    shared: BrowserContext, site: Site, provider: Provider
) -> None:
    alice = shared.new_page()
    alice.goto(site.url)
    sign_up(alice)
    write_unsent(shared.new_page(), site)
    sign_out(alice, site)
    bob = shared.new_page()
    bob.goto(site.url)
    expect_nothing_of_it(bob, site, provider)  # a visitor without account
    bob.goto(site.url)
    sign_up(bob)
    expect_nothing_of_it(bob, site, provider)  # another account


def test_refused_message_is_shown_to_its_writer_only(
    shared: BrowserContext, site: Site, provider: Provider
) -> None:
    page = shared.new_page()
    page.goto(site.url)
    name = sign_up(page)
    write_unsent(page, site)
    page.evaluate(
        """() => { const entries = JSON.parse(localStorage.getItem('buddy.outbox'));
                   entries[0].refusal = { code: 'invalid', error: 'Too long.' };
                   localStorage.setItem('buddy.outbox', JSON.stringify(entries)); }"""
    )
    sign_out(page, site)
    other = shared.new_page()
    expect_nothing_of_it(other, site, provider)

    other.goto(f"{site.url}/account/sign-in/")
    other.get_by_label("Name or e-mail address").fill(name)
    other.get_by_label("Password").fill("long-and-own-4711")
    other.get_by_role("button", name="Sign in").click()
    other.goto(site.url)
    expect(questions(other)).to_contain_text(SECRET)


def test_message_of_a_visitor_follows_to_the_account_of_the_same_person(
    shared: BrowserContext, site: Site, provider: Provider
) -> None:
    page = shared.new_page()
    write_unsent(page, site)
    later = shared.new_page()
    later.goto(f"{site.url}/account/sign-up/")
    later.get_by_label("Name:", exact=True).fill("heron-of-the-same-person")
    later.get_by_label("Password:", exact=True).fill("long-and-own-4711")
    later.get_by_label("Password confirmation").fill("long-and-own-4711")
    later.get_by_role("button", name="Sign up").click()
    expect(later).to_have_url(f"{site.url}/")
    expect(answers(later)).to_contain_text(f"“{SECRET}”")
    assert later.evaluate(STORED) in ("", "[]")


def test_page_of_the_previous_person_does_not_write_for_the_next(
    shared: BrowserContext, site: Site, provider: Provider
) -> None:
    """Another tab, which has had no connection: it would send with the cookie of the visitor of now."""
    alice = shared.new_page()
    alice.goto(site.url)
    sign_up(alice)
    tab = shared.new_page()
    tab.route_web_socket("**/ws/", lambda socket: socket.close(code=1011))
    tab.route("**/api/connection", lambda route: route.abort())  # it does not hear of the end of the session
    tab.goto(site.url)
    say(tab, SECRET)
    expect(questions(tab)).to_contain_text("Saved on this device.")
    sign_out(alice, site)
    tab.unroute("**/api/connection")  # what it does next, it does with the cookie of the visitor of now
    expect(tab.get_by_text(SECRET)).to_have_count(0)
    expect(tab.get_by_label("Your message", exact=True)).to_have_value("")
    alice.reload()
    expect(alice.get_by_text("Your conversations will appear here.")).to_be_visible()
    expect(alice.get_by_text(SECRET)).to_have_count(0)
    assert provider.requests == []


def test_erasing_also_erases_what_waits_on_the_device(
    shared: BrowserContext, site: Site, provider: Provider
) -> None:
    page = shared.new_page()
    write_unsent(page, site)
    page.goto(f"{site.url}/account/erase/")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_text("Your data has been erased")).to_be_visible()
    assert page.evaluate(STORED) == ""


def test_message_that_another_tab_has_sent_is_answered_in_its_own_tab_too(
    shared: BrowserContext, site: Site, provider: Provider
) -> None:
    """One visitor, two tabs: the one in which it was written has no connection at that time."""
    sockets: list[WebSocketRoute] = []

    def silent_at_first(socket: WebSocketRoute) -> None:
        if not sockets:
            sockets.append(socket)
        else:
            socket.connect_to_server()

    other = shared.new_page()
    other.goto(site.url)
    expect(other.get_by_label("Your message", exact=True)).to_be_focused()
    page = shared.new_page()
    page.route_web_socket("**/ws/", silent_at_first)
    page.goto(site.url)
    say(page, "From here.")
    expect(questions(page)).to_contain_text("From here.")
    other.reload()
    expect(answers(other)).to_contain_text("“From here.”")
    sockets[0].close()
    expect(answers(page)).to_contain_text("“From here.”")
    assert len([request for request in provider.requests if "From here." in str(request.json)]) == 1
