"""What comes out of files of each type, and what is said of those that cannot be read."""

import pytest

from chat.documents.reader import Document, Unreadable, kinds

from . import making


def read(data: bytes, name: str = "file") -> Document:
    return kinds.read(data, name)


def refusal(data: bytes, name: str = "file") -> str:
    """Why it is not taken, in a sentence."""
    with pytest.raises(Unreadable) as caught:
        read(data, name)
    assert caught.value.message.endswith(".")
    return caught.value.message


# --- what can be read -----------------------------------------------------------------------------


def test_a_pdf_is_read_page_by_page():
    document = read(making.pdf(), "report.txt")
    assert (document.kind, document.pages, document.skipped) == ("pdf", 3, [])
    first, second, _ = document.text.split("\f")
    assert "raised by two metres" in first
    assert "412 of them" in second


def test_pages_without_text_are_skipped_and_named_and_the_others_keep_their_numbers():
    document = read(making.pdf(["", "Two.", "", "", "Five."]))
    assert document.skipped == ["pages 1, 3–4 (no text, perhaps a picture)"]
    assert document.text.split("\f") == ["", "Two.", "", "", "Five."]


def test_words_that_a_line_has_cut_are_made_whole():
    assert "harbour master" in read(making.pdf(["The har-\nbour master."])).text


def test_a_pdf_that_is_only_locked_against_changes_is_read():
    assert "Lisbon" in read(making.locked_pdf("")).text


def test_a_word_file_is_read_in_order_with_its_headings_lists_and_tables():
    document = read(making.word(), "harbour.docx")
    assert document.kind == "docx"
    assert document.text.split("\n\n") == [
        "# Harbour",
        "The mole was raised by two metres.",
        "# Costs",
        "- Stone",
        "Item | Price\nStone | 4,000 per year",
        "# Who pays?",
        "Nobody knows.",
    ]


@pytest.mark.parametrize(
    "data",
    [
        'name,place\n"Ada, Countess",London\nJosé,Évora\n'.encode(),
        'name;place\n"Ada, Countess";London\nJosé;Évora\n'.encode("latin-1"),
        "name\tplace\nAda, Countess\tLondon\nJosé\tÉvora\n".encode("utf-16"),
    ],
    ids=["commas", "semicolons in latin-1", "tabs in utf-16"],
)
def test_a_table_has_a_row_a_line_whatever_parts_its_cells(data):
    document = read(data, "people.csv")
    assert (document.kind, document.columns) == ("csv", "name | place")
    assert document.text == "name | place\nAda, Countess | London\nJosé | Évora"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_text_is_understood_in_the_encodings_that_are_used(encoding):
    words = "Zürich, garçon, “señor” – naïve.\r\nIt was a long way to the harbour, and nobody spoke.\r\n" * 5
    assert read(words.encode(encoding)).text == words.replace("\r\n", "\n").rstrip()


def test_russian_is_told_from_french_by_its_letters():
    words = "Пароход пришёл утром, и на пристани никого не было. Капитан молча курил трубку. " * 5
    assert read(words.encode("cp1251")).text == words.strip()


def test_markdown_is_known_by_its_headings():
    assert read(b"# Title\n\nText\n").kind == "md"
    assert read(b"Only text\n").kind == "txt"


def test_a_table_without_columns_is_text():
    assert read(b"one\ntwo\n", "one.csv").kind == "txt"


# --- what cannot ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "This file is empty."),
        (b"  \n\t ", "This file is empty."),
        (making.pdf(["", ""]), "no text on the pages of this PDF; it is probably scanned"),
        (making.locked_pdf("secret"), "locked with a password"),
        (making.pdf()[:400], "damaged or incomplete"),
        (b"%PDF-1.7\nnothing else", "damaged or incomplete"),
        (making.word()[:-300], "damaged or incomplete"),
        (making.changed_word("word/document.xml", b"<no xml"), "damaged or incomplete"),
        (making.pdf(["x"] * 501), "501 pages; 500 is the most"),
        (b"word " * 90_000, "449,999 characters of text; 400,000 characters is the most"),
        (b"MZ\x90\x00" + bytes(500), "This is a program"),
        (b"\x7fELF" + bytes(500), "This is a program"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "This is a picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Office file. Save it as .docx or PDF"),
        (b"{\\rtf1 Hello}", "a Rich Text file"),
        (making.zipped(xl__workbook=b"<x/>"), "a spreadsheet. Save it as CSV"),
        (making.zipped(ppt__slides=b"<x/>"), "a presentation. Save it as PDF"),
        (making.zipped(readme=b"hello"), "a packed file. Unpack it"),
        (bytes(range(256)) * 40, "This is no text"),
        (b"text \x00\x01\x02 with \x00 holes" * 50, "This is no text"),
        (b"\xff\xfeo", "damaged"),
        ((",".join(["c"] * 100_000) + "\n").encode() * 3, "100,000 columns; 500 is the most"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_a_sentence(data, says):
    assert says in refusal(data, "innocent.csv")


def test_a_name_decides_nothing_about_what_a_file_is():
    assert "This is a program" in refusal(b"MZ\x90\x00" + bytes(500), "letter.pdf")
    assert read(making.pdf(), "letter.exe").kind == "pdf"
