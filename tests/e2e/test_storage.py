"""The page where the browser stores little or nothing, or keeps no cookies (P13)."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.e2e.reading import answers, message_field, open_new, questions, say
from tests.e2e.site import Site
from tests.provider.fixture import Provider

STORAGE_THROWS = """
for (const name of ["localStorage", "sessionStorage", "indexedDB"])
    Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
"""
#: As left by something else at the same address: values of other forms, and no room for more.
STORAGE_IS_FULL = """
if (location.protocol === "http:" && !localStorage.getItem("foreign-0")) {
    localStorage.setItem("buddy.outbox", '{"not": "ours"}');
    localStorage.setItem("buddy.accepted", "[[");
    localStorage.setItem("buddy.theme", "neon");
    let piece = "x".repeat(2 ** 20);
    for (let n = 0; piece; n += 1)
        try { localStorage.setItem(`foreign-${n}`, piece); }
        catch { piece = piece.slice(piece.length / 2 + 1); }
}
"""


def test_page_works_where_storage_is_full_or_blocked(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider
) -> None:
    """P13."""
    for script in (STORAGE_IS_FULL, STORAGE_THROWS):
        context = visitor()
        context.add_init_script(script)
        page = context.new_page()
        page.goto(site.url)
        for number, text in enumerate(("One.", "Two.")):
            say(page, text)
            expect(answers(page).nth(number)).to_contain_text(f"“{text}”")
        message_field(page).fill("A draft")
        open_new(page)
        expect(message_field(page)).to_have_value("")
        page.go_back()
        expect(message_field(page)).to_have_value("A draft")
        expect(questions(page)).to_have_count(2)
        context.set_offline(True)
        expect(page.get_by_text("You are offline.").first).to_be_visible()
        message_field(page).press("Enter")
        expect(questions(page).nth(2)).to_contain_text("This browser cannot store it.")
        context.set_offline(False)
        expect(answers(page).nth(2)).to_contain_text("“A draft”")
        message_field(page).fill("Another draft")
        site.end_sessions()  # P2
        expect(page.locator("#banner")).to_contain_text("Your session has ended.")
        context.clear_cookies()
        page.get_by_role("button", name="Start again").click()
        expect(page).to_have_url(f"{site.url}/")
        expect(message_field(page)).to_have_value("Another draft")


def test_browser_without_cookies_gets_a_sentence(site: Site, visitor: Callable[..., BrowserContext]) -> None:
    """P13: each request would be a new visitor's."""
    context = visitor()
    context.add_init_script(STORAGE_THROWS)
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setDocumentCookieDisabled", {"disabled": True})
    page.goto(site.url)
    expect(page.get_by_role("heading", name="This browser keeps no cookies for this site")).to_be_visible()
    expect(message_field(page)).to_be_disabled()
    with page.expect_event("load"):
        page.get_by_role("button", name="Try again").click()
