"""Documents in the page: attaching, progress and report."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.chat.documents import sample_files
from tests.e2e.reading import answers, questions, say, serious, spoken, text_of
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider

PARTS = 8
TEXT = "\n\n".join(
    f"# Chapter {n}\n\nIn the year {n} the harbour took in {n * 100} ships."
    + " Nothing else was said of it." * 45
    for n in range(1, PARTS + 1)
)
HEADINGS = ["Summary", "Key points", "Quotes", "Open questions", "What was read"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, scripted: Provider) -> Iterator[Site]:
    """A site whose model has a context window for one chapter at a time."""
    with running(
        tmp_path_factory.mktemp("documents"),
        **scripted.publishes,
        OPENAI_CONTEXT_TOKENS="2000",
        QUEUE_LARGE_REQUESTS_LIMITER="0/1",
    ) as site:
        yield site


def script_findings(provider: Provider, seen: int = 0) -> None:
    """Script one note per chapter; chapters after the first `seen` wait until the test sends "seen"."""
    for n in range(1, PARTS + 1):
        text = f"NOTES:\n- {n * 100} ships came\nQUOTES: 2\nOPEN: Who counted in year {n}?"
        provider.script(match=f"Part {n} of {PARTS} ", text=text, until="seen" if seen and n > seen else "")
    provider.script(match="These notes", text="SUMMARY: More ships each year.\nKEY: 1, 8\nOPEN: none")


def choose(page: Page, file: Any) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a document").click()
    chooser.value.set_files(file)


def choose_file(page: Page, name: str, data: bytes) -> None:
    choose(page, {"name": name, "mimeType": "", "buffer": data})


def chip(page: Page) -> Any:
    return page.locator("#attachment")


def test_document_notes_stream_and_report_downloads(page: Page, provider: Provider) -> None:
    script_findings(provider, seen=4)
    choose_file(page, "harbour.md", TEXT.encode())
    expect(chip(page)).to_contain_text("harbour.md 11 kB")
    expect(spoken(page)).to_contain_text("harbour.md is attached.")
    expect(page.get_by_label("Your message", exact=True)).to_be_focused()
    say(page, "How many ships?")

    expect(questions(page)).to_contain_text(re.compile("harbour.md\\W · 11 kB"))
    expect(questions(page)).to_contain_text("How many ships?")
    expect(chip(page)).to_be_hidden()
    found = text_of(answers(page)).get_by_role("listitem")
    expect(found).to_contain_text(["100 ships came", "200 ships came"])
    expect(answers(page).get_by_label("Parts read")).to_have_attribute("max", "8")
    expect(answers(page)).to_contain_text("of 8")
    expect(spoken(page)).to_contain_text("of 8 parts read.")

    page.reload()
    expect(text_of(answers(page))).to_contain_text("Part 4 of 8")
    provider.release("seen")
    expect(answers(page)).to_have_attribute("data-status", "completed", timeout=60_000)
    expect(text_of(answers(page)).get_by_role("heading")).to_have_text(HEADINGS)
    expect(text_of(answers(page))).to_contain_text("More ships each year.")
    expect(spoken(page)).to_contain_text("has answered.")
    expect(questions(page).get_by_role("button", name="Edit")).to_be_hidden()
    with page.expect_download() as download:
        answers(page).get_by_role("link", name="Download the report").click()
    assert download.value.suggested_filename == "Report on harbour.md.md"
    assert Path(download.value.path()).read_text().startswith("# harbour.md\n\nHow many ships?\n\n## Summary")


def test_unreadable_document_shows_reason_and_keeps_question(page: Page) -> None:
    choose_file(page, "secret.pdf", sample_files.locked_pdf("secret"))
    say(page, "What does it say?")
    expect(chip(page)).to_contain_text("This PDF is locked with a password.")
    expect(spoken(page)).to_contain_text("Not sent. This PDF is locked")
    expect(page.get_by_label("Your message", exact=True)).to_have_value("What does it say?")
    chip(page).get_by_role("button", name="Remove the document").click()
    expect(chip(page)).to_be_hidden()
    expect(page.get_by_label("Your message", exact=True)).to_have_value("What does it say?")


def test_too_large_document_is_refused_before_sending(page: Page, tmp_path: Path) -> None:
    huge = tmp_path / "huge.txt"
    huge.write_bytes(b"x" * (20 * 1024**2 + 1))
    choose(page, huge)
    expect(chip(page)).to_contain_text("The file is too large; the maximum is 20 MB.")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_document_dropped_or_pasted_needs_no_question(page: Page, provider: Provider, way: str) -> None:
    provider.script(text="NOTES:\n- It is short\nQUOTES: 1\nOPEN: none", match="Part 1 of 1")
    page.evaluate(
        """(way) => {
            const data = new DataTransfer();
            data.items.add(new File(["One line of text."], "note.txt"));
            const event = way === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
            (way === "drop" ? document.body : document.querySelector("#message")).dispatchEvent(event);
        }""",
        way,
    )
    expect(chip(page)).to_contain_text("note.txt")
    page.get_by_role("button", name="Send").click()
    expect(questions(page)).to_contain_text("What matters in this document?")
    expect(text_of(answers(page))).to_contain_text("It is short (line 1)")


def test_long_message_is_read_as_document(page: Page, provider: Provider) -> None:
    say(page, "What was it like?\n\n" + "The harbour was quiet that year. " * 700)
    expect(page.locator("#notice")).to_contain_text("too long for the chat, so it is read as a document")
    expect(questions(page)).to_contain_text(re.compile("Pasted text\\W · 23 kB"))
    expect(questions(page)).to_contain_text("What was it like?")
    expect(answers(page)).to_have_attribute("data-status", "completed", timeout=60_000)


def test_document_stays_without_connection(page: Page) -> None:
    page.route("**/api/analysis", lambda route: route.abort())
    choose_file(page, "note.txt", b"One line.")
    say(page, "What is it?")
    expect(chip(page)).to_contain_text("There is no connection.")
    page.unroute("**/api/analysis")
    page.get_by_role("button", name="Send").click()
    expect(questions(page)).to_contain_text("note.txt")
    expect(questions(page)).to_contain_text("What is it?")


def test_question_sent_before_the_page_can_take_its_document_waits_for_it(page: Page) -> None:
    held: list[Route] = []
    page.route("**/views/attachments*.js", lambda route: held.append(route))
    with page.expect_request("**/views/attachments*.js"):
        choose_file(page, "note.txt", b"One line.")
    say(page, "What is it?")
    expect(page.get_by_role("textbox", name="Message")).to_have_value("")
    held[0].continue_()
    expect(questions(page)).to_contain_text("note.txt")
    expect(questions(page)).to_contain_text("What is it?")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_documents_have_no_serious_axe_violations(
    site: Site, visitor: Callable[..., BrowserContext], provider: Provider, theme: str
) -> None:
    page = visitor(viewport={"width": 390, "height": 800}, color_scheme=theme).new_page()
    page.goto(site.url)
    script_findings(provider, seen=2)
    choose_file(page, "harbour.md", TEXT.encode())
    assert serious(page) == []
    page.get_by_role("button", name="Send").click()
    expect(text_of(answers(page))).to_contain_text("Part 2 of 8")
    assert serious(page) == []
    provider.release("seen")
    expect(answers(page)).to_have_attribute("data-status", "completed", timeout=60_000)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_local_model_writes_a_report(local_site: Site, visitor: Callable[..., BrowserContext]) -> None:
    """The model is small and its notes may be poor, but the report has its form and its quotes are exact."""
    text = "\n\n".join(
        f"{page}\n" + "The harbour master wrote it all down. " * 60 for page in sample_files.PAGES
    )
    page = visitor().new_page()
    page.goto(local_site.url)
    choose_file(page, "harbour.txt", text.encode())
    say(page, "Where did the ships come from?")
    expect(answers(page)).to_have_attribute("data-status", "completed", timeout=240_000)
    report = text_of(answers(page))
    for heading in ("Summary", "Key points", "Quotes", "What was read"):
        expect(report.get_by_role("heading", name=heading)).to_be_visible()
    expect(report).to_contain_text("Read by the demo model: rely on the quotes")
    quotes = report.locator("blockquote p:first-child").all_inner_texts()
    assert quotes
    assert all(" ".join(quote.split()) in " ".join(text.split()) for quote in quotes)
