"""A conversation is deleted while something is on its way to it: nothing hangs, nothing is left (P14).

It may be deleted in this tab, in another one, or with all data of the visitor; a document or a recording may
be on its way; the conversation may be open or not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests.e2e.reading import (
    answered,
    answers,
    choose,
    delete_conversation,
    message_field,
    open_new,
    questions,
    say,
    text_of,
)
from tests.e2e.recording import TRANSCRIPT, card, record
from tests.e2e.site import Site
from tests.provider.fixture import Provider

NOTE: Any = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"One line."}
#: What this browser keeps of drafts: words, files and recordings.
KEPT = """async () => {
    const words = Object.keys(localStorage).filter((key) => key.startsWith("buddy.draft"));
    const opening = indexedDB.open("buddy", 1);
    await new Promise((done) => (opening.onsuccess = opening.onerror = done));
    if (!opening.result?.objectStoreNames.contains("files")) return words;
    const keys = opening.result.transaction("files").objectStore("files").getAllKeys();
    await new Promise((done) => (keys.onsuccess = done));
    opening.result.close();
    return [...words, ...keys.result];
}"""


def chip(page: Page) -> Locator:
    return page.locator("#attachment")


def notice(page: Page) -> Locator:
    return page.locator("#notice")


@contextmanager
def under_way(page: Page, path: str) -> Iterator[list[Route]]:
    """What is sent to the path does not arrive before the end of the block."""
    held: list[Route] = []
    page.route(path, lambda route: held.append(route))
    yield held
    page.unroute(path)
    for route in held:
        try:
            route.continue_()
        except Error:  # the page has given it up
            continue


def attach_and_send(page: Page, question: str) -> None:
    page.locator("#file").set_input_files(NOTE)
    expect(chip(page)).to_contain_text("note.txt")
    say(page, question)
    expect(chip(page)).to_contain_text("Sending…")


@pytest.fixture
def uploads(site: Site, provider: Provider) -> Iterator[None]:
    """Whatever the test does, the server keeps no file of it that nothing needs."""
    before = site.rows("uploads_upload")
    yield
    site.end_jobs()
    assert site.rows("uploads_upload") == before


def test_upload_into_a_conversation_that_is_deleted_here_ends_with_it(
    page: Page, provider: Provider, uploads: None
) -> None:
    answered(page, "Hello.")
    with under_way(page, "**/api/analysis"):
        attach_and_send(page, "What is it?")
        message_field(page).fill("And more")
        delete_conversation(page)
        expect(page.get_by_role("heading", name="Who would you like to talk to?")).to_be_visible()
    expect(chip(page)).to_be_hidden()
    expect(message_field(page)).to_have_value("")
    answered(page, "Another one.")
    expect(questions(page)).to_have_count(1)
    page.reload()
    expect(questions(page)).to_have_count(1)
    expect(chip(page)).to_be_hidden()


def test_upload_into_a_conversation_that_is_deleted_elsewhere_goes_on_in_a_new_one(
    page: Page, provider: Provider, uploads: None
) -> None:
    """The conversation is open, and then it is not."""
    answered(page, "Hello.")
    other = page.context.new_page()
    other.goto(page.url)
    expect(answers(other)).to_have_count(1)
    with under_way(page, "**/api/analysis"):
        attach_and_send(page, "What is it?")
        delete_conversation(other)
        expect(notice(page)).to_contain_text("This conversation was deleted")
    expect(chip(page)).to_contain_text("Its conversation was deleted. It can be sent in another one.")
    expect(message_field(page)).to_have_value("What is it?")
    message_field(page).press("Enter")
    expect(questions(page)).to_contain_text("What is it?")
    expect(questions(page)).to_contain_text("note.txt")
    expect(answers(page)).to_have_attribute("data-status", "completed")

    page.wait_for_url("**/t/*")
    with under_way(page, "**/api/analysis"):
        attach_and_send(page, "And this?")
        open_new(page)
        choose(page, "Travel")
        delete_conversation(other)
        expect(notice(page)).to_contain_text("waits in a new one with Corporate")
    expect(chip(page)).to_be_hidden()
    notice(page).get_by_role("button", name="Open it").click()
    expect(message_field(page)).to_have_value("And this?")
    expect(chip(page)).to_contain_text("note.txt")
    page.reload()
    expect(message_field(page)).to_have_value("And this?")
    message_field(page).press("Enter")
    expect(questions(page)).to_contain_text("And this?")


def test_recording_for_a_conversation_that_is_deleted_elsewhere_is_sent_in_a_new_one(
    microphone, provider: Provider, uploads: None
) -> None:
    """P21: while it is made, while it is sent, and while its words are awaited."""
    page = microphone()
    other = page.context.new_page()
    provider.script(match="recording", text=TRANSCRIPT)
    answered(page, "Hello.")
    other.goto(page.url)
    expect(answers(other)).to_have_count(1)
    record(page)
    delete_conversation(other)
    expect(notice(page)).to_contain_text("This conversation was deleted")
    page.get_by_role("button", name="Stop and send").click()
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)
    expect(answers(page)).to_have_attribute("data-status", "completed")

    page.wait_for_url("**/t/*")
    provider.script(match="recording", text=TRANSCRIPT)
    record(page)
    open_new(page)
    with under_way(page, "**/api/audio"):
        page.get_by_role("button", name="Stop and send").click()
        expect(card(page)).to_contain_text("Sending your recording")
        delete_conversation(other)
        expect(notice(page)).to_contain_text("waits in a new one with Corporate")
    expect(card(page)).to_contain_text("The conversation of this recording was deleted.")
    page.get_by_role("button", name="Try again").click()
    expect(text_of(questions(page))).to_have_text(TRANSCRIPT)

    page.wait_for_url("**/t/*")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    provider.script(match="recording", text="And in May?", until="it was deleted")
    record(page)
    page.get_by_role("button", name="Stop and edit").click()
    expect(card(page)).to_contain_text("Transcribing your recording")
    delete_conversation(other)
    expect(notice(page)).to_contain_text("This conversation was deleted")
    page.reload()
    expect(card(page)).to_contain_text("Transcribing your recording")
    provider.release("it was deleted")
    expect(message_field(page)).to_have_value("And in May?")


def test_recording_ends_with_a_conversation_that_is_deleted_here_and_with_all_data(
    microphone, site: Site, provider: Provider, uploads: None
) -> None:
    """A microphone that nothing needs is off, and nothing of an erased visitor is written again."""
    page = microphone()
    answered(page, "Hello.")
    record(page)
    delete_conversation(page)
    expect(card(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Record a voice message")).to_be_enabled()

    answered(page, "Hello again.")
    record(page)
    with under_way(page, "**/api/analysis"):
        attach_and_send(page, "What is it?")
        other = page.context.new_page()
        other.goto(f"{site.url}/account/erase/")
        other.get_by_role("checkbox").check()
        other.get_by_role("button", name="Erase").click()
        expect(page.get_by_role("heading", name="Everything was erased")).to_be_visible()
    expect(card(page)).to_be_hidden()
    expect(chip(page)).to_be_hidden()
    assert page.evaluate(KEPT) == []
