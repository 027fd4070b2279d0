"""Paste and drop take what was meant and say what they leave: the real clipboard, real files (P9, P20)."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.reading import questions, say, spoken

#: Puts a picture on the clipboard, with the text and the HTML of the cells that it shows, if there are any.
COPY = """async (text) => {
    const canvas = new OffscreenCanvas(4, 4);
    canvas.getContext("2d").fillRect(0, 0, 2, 2);
    const data = { "image/png": await canvas.convertToBlob() };
    if (text) data["text/plain"] = new Blob([text], { type: "text/plain" });
    if (text) data["text/html"] = new Blob([`<table><td>${text}</table>`], { type: "text/html" });
    await navigator.clipboard.write([new ClipboardItem(data)]);
}"""
#: Pastes files as a file manager copies them: their paths are the text beside them.
PASTE_FILES = """(paths) => {
    const data = new DataTransfer();
    for (const path of paths) data.items.add(new File(["One line."], path.split("/").at(-1)));
    data.setData("text/plain", paths.join("\\n"));
    const options = { clipboardData: data, bubbles: true, cancelable: true };
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", options));
}"""


@pytest.fixture
def field(page: Page) -> Locator:
    """The message field, of a page that may use the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    field = page.get_by_label("Your message", exact=True)
    expect(field).to_be_focused()
    return field


def chip(page: Page) -> Locator:
    return page.locator("#attachment")


def notice(page: Page) -> Locator:
    return page.locator("#notice")


def drop(page: Page, *files: Path, text: str = "", kind: str = "text/plain") -> None:
    """Drop real files, or text, in the middle of the page."""
    items = [{"mimeType": kind, "data": text}] if text else []
    data = {"items": items, "files": [str(file) for file in files], "dragOperationsMask": 1}
    line = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        line.send("Input.dispatchDragEvent", {"type": step, "x": 700, "y": 300, "data": data})
    line.detach()


def written(directory: Path, **files: bytes) -> list[Path]:
    for name, data in files.items():
        (directory / name.replace("_", ".")).write_bytes(data)
    return [directory / name.replace("_", ".") for name in files]


def test_text_of_a_spreadsheet_is_pasted_and_a_picture_alone_is_explained(page: Page, field: Locator) -> None:
    """P9. Pasted anywhere on the page, it goes into the message."""
    page.evaluate(COPY, "name\tplace")
    page.keyboard.press("Control+v")
    expect(field).to_have_value("name\tplace")
    expect(chip(page)).to_be_hidden()
    expect(notice(page)).to_contain_text("The text was pasted, without the picture")
    field.blur()
    page.keyboard.press("Control+v")
    expect(field).to_have_value("name\tplacename\tplace")
    page.keyboard.press("Control+z")
    expect(field).to_have_value("name\tplace")

    page.evaluate(COPY, "")
    page.keyboard.press("Control+v")
    expect(notice(page)).to_contain_text(
        "“image.png” is a picture, which cannot be read here. Text, Markdown, CSV"
    )
    expect(spoken(page)).to_contain_text("is a picture")
    expect(chip(page)).to_be_hidden()
    expect(field).to_have_value("name\tplace")
    page.keyboard.press("Control+k")
    page.keyboard.press("Control+v")
    expect(notice(page)).to_contain_text("Files can be attached only to a new message")

    field.focus()
    page.evaluate(PASTE_FILES, ["/home/ada/harbour.txt"])
    expect(chip(page)).to_contain_text("harbour.txt")
    expect(field).to_have_value("name\tplace")


def test_files_that_are_left_are_named_with_the_reason(page: Page, field: Locator, tmp_path: Path) -> None:
    """P20: several files, a folder, an empty file, a picture; then another one in place of the first."""
    files = written(
        tmp_path, empty_txt=b"", b_png=b"\x89PNG", c_txt=b"One.", d_txt=b"Two.", main_ts=b"let a;"
    )
    empty, picture, first, second, script = files
    (tmp_path / "docs").mkdir()
    drop(page, picture, empty, first, second, tmp_path / "docs")
    expect(chip(page)).to_contain_text("c.txt")
    left = "Not attached: b.png (a picture), empty.txt (empty), d.txt, docs (a folder). One file can be sent"
    expect(notice(page)).to_contain_text(left)
    expect(spoken(page)).to_contain_text("c.txt is attached.")
    expect(spoken(page)).to_contain_text(left)
    for file, why in ((empty, "“empty.txt” is empty."), (tmp_path / "docs", "“docs” is a folder.")):
        drop(page, file)
        expect(notice(page)).to_contain_text(why)
        expect(chip(page)).to_contain_text("c.txt")
    drop(page, script)
    expect(chip(page)).to_contain_text("main.ts")
    expect(spoken(page)).to_contain_text("main.ts is attached in place of c.txt.")

    drop(page, text="https://example.org/harbour", kind="text/uri-list")
    expect(field).to_have_value("https://example.org/harbour")
    assert page.evaluate("location.pathname") == "/"


def test_file_that_is_lost_after_it_was_chosen_is_named(page: Page, field: Locator, tmp_path: Path) -> None:
    """P20: deleted, changed, and chosen again."""
    note = tmp_path / "note.txt"
    for lose in (note.unlink, lambda: note.write_text("Another and longer line.")):
        note.write_text("One line.")
        os.utime(note, (1, 1))  # browsers compare whole seconds
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Attach a document").click()
        chooser.value.set_files(note)
        expect(chip(page)).to_contain_text("note.txt")
        expect(chip(page)).not_to_contain_text("cannot be read any more")
        lose()
        say(page, "What is it?")
        expect(chip(page)).to_contain_text(
            "“note.txt” cannot be read any more: it was deleted, moved or changed"
        )
        expect(field).to_have_value("What is it?")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach a document").click()
    chooser.value.set_files(note)
    expect(chip(page)).not_to_contain_text("cannot be read any more")
    page.get_by_role("button", name="Send").click()
    expect(questions(page)).to_contain_text("note.txt")
