"""Reading of files of each kind, and the messages about unreadable files."""

import pytest

from chat.documents.reader import Document, Unreadable, kinds

from . import sample_files


def read(data: bytes, name: str = "file") -> Document:
    return kinds.read(data, name)


def refusal(data: bytes, name: str = "file") -> str:
    """Return the message about an unreadable file."""
    with pytest.raises(Unreadable) as caught:
        read(data, name)
    assert caught.value.message.endswith(".")
    return caught.value.message


# --- readable files -----------------------------------------------------------------------------


def test_pdf_is_read_page_by_page():
    document = read(sample_files.pdf(), "report.txt")
    assert (document.kind, document.pages, document.skipped) == ("pdf", 3, [])
    first, second, _ = document.text.split("\f")
    assert "raised by two metres" in first
    assert "412 of them" in second


def test_pdf_blank_pages_are_skipped_and_named():
    document = read(sample_files.pdf(["", "Two.", "", "", "Five."]))
    assert document.skipped == ["pages 1, 3–4 (no text, perhaps a picture)"]
    assert document.text.split("\f") == ["", "Two.", "", "", "Five."]


def test_pdf_hyphenated_word_is_joined():
    assert "harbour master" in read(sample_files.pdf(["The har-\nbour master."])).text


def test_pdf_locked_only_against_changes_is_read():
    assert "Lisbon" in read(sample_files.locked_pdf("")).text


def test_word_file_is_read_in_order_with_headings_lists_tables():
    document = read(sample_files.word(), "harbour.docx")
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
def test_table_has_one_line_per_row_for_each_separator(data):
    document = read(data, "people.csv")
    assert (document.kind, document.columns) == ("csv", "name | place")
    assert document.text == "name | place\nAda, Countess | London\nJosé | Évora"


@pytest.mark.parametrize("mark", ["", "\ufeff", "\ufeff\ufeff"], ids=["", "one mark", "two marks"])
@pytest.mark.parametrize(
    ("declaration", "separator"),
    [
        ("sep=;", ";"),
        ("SEP=,", ","),
        ('"sep=|"', "|"),
        ("sep=\t", "\t"),
        (r"sep=\t", "\t"),
        ("sep=^", "^"),
        ("sep=;;;;", ";"),
    ],
)
def test_table_that_names_its_separator_begins_with_its_header(declaration, separator, mark):
    """P20: Excel writes and reads such a first line."""
    rows = [["name", "place, or none"], ["Ada, Countess", "1;2"], ["José", "Évora"]]
    lines = [separator.join(f'"{cell}"' for cell in row) for row in rows]
    document = read((mark + "\r\n".join([declaration, *lines])).encode(), "people.CSV")
    assert document.columns == "name | place, or none"
    assert document.text.split("\n") == [" | ".join(row) for row in rows]


@pytest.mark.parametrize(
    ("table", "columns", "last"),
    [
        ("Statement of May\n\nday;sum\n1;2,50\n2;3,75\n", "day | sum", "2 | 3,75"),
        ("1,5;2,5\n3,5;4,5\n", "1,5 | 2,5", "3,5 | 4,5"),
        ('name,note\nAda,"one\ntwo; three"\nJosé,"a; b; c"\n', "name | note", "José | a; b; c"),
        ("name,note\nAda,one; two; three\nJosé,a; b\nEva,a\n", "name | note", "Eva | a"),
        ("a|b\n1|2,5\n", "a | b", "1 | 2,5"),
        ("\n\na,b\n1,2\n", "a | b", "1 | 2"),
    ],
    ids=[
        "title above",
        "decimal commas",
        "line in a cell",
        "semicolons in cells",
        "bars",
        "empty lines above",
    ],
)
def test_table_header_is_its_first_row_of_several_cells(table, columns, last):
    document = read(table.encode(), "table.csv")
    assert (document.kind, document.columns) == ("csv", columns)
    assert document.text.split("\n")[-1] == last


def test_text_about_separators_is_not_a_declaration():
    assert read(b"sep=; is the first line\nof such a file; it is not read.\n", "note.txt").text.startswith(
        "sep=; is"
    )
    assert read(b"sep=a,b\n1,2\n", "odd.csv").columns == "sep=a | b"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_text_is_decoded_in_common_encodings(encoding):
    words = "Zürich, garçon, “señor” – naïve.\r\nIt was a long way to the harbour, and nobody spoke.\r\n" * 5
    assert read(words.encode(encoding)).text == words.replace("\r\n", "\n").rstrip()


def test_cyrillic_encoding_is_detected():
    words = "Пароход пришёл утром, и на пристани никого не было. Капитан молча курил трубку. " * 5
    assert read(words.encode("cp1251")).text == words.strip()


def test_markdown_is_detected_by_headings():
    assert read(b"# Title\n\nText\n").kind == "md"
    assert read(b"Only text\n").kind == "txt"


def test_table_with_one_column_is_text():
    assert read(b"one\ntwo\n", "one.csv").kind == "txt"


# --- unreadable files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "This file is empty."),
        (b"  \n\t ", "This file is empty."),
        (sample_files.pdf(["", ""]), "no text on the pages of this PDF; it is probably scanned"),
        (sample_files.locked_pdf("secret"), "locked with a password"),
        (sample_files.pdf()[:400], "damaged or incomplete"),
        (b"%PDF-1.7\nnothing else", "damaged or incomplete"),
        (sample_files.word()[:-300], "damaged or incomplete"),
        (sample_files.changed_word("word/document.xml", b"<no xml"), "damaged or incomplete"),
        (sample_files.pdf(["x"] * 501), "501 pages; the maximum is 500"),
        (b"word " * 90_000, "449,999 characters of text; the maximum is 400,000 characters"),
        (b"MZ\x90\x00" + bytes(500), "This is a program"),
        (b"\x7fELF" + bytes(500), "This is a program"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "This is a picture"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(500), "This is a picture"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(500), "This is a picture"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), "This is a recording or a video"),
        (b"\x1aE\xdf\xa3" + bytes(500), "This is a recording or a video"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Office file. Save it as .docx or PDF"),
        (b"{\\rtf1 Hello}", "a Rich Text file"),
        (sample_files.zipped(xl__workbook=b"<x/>"), "a spreadsheet. Save it as CSV"),
        (sample_files.zipped(ppt__slides=b"<x/>"), "a presentation. Save it as PDF"),
        (sample_files.zipped(readme=b"hello"), "a compressed file. Unpack it"),
        (bytes(range(256)) * 40, "This is not text"),
        (b"text \x00\x01\x02 with \x00 holes" * 50, "This is not text"),
        (b"\xff\xfeo", "damaged"),
        ((",".join(["c"] * 100_000) + "\n").encode() * 3, "100,000 columns; the maximum is 500"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)  # fmt: skip
def test_unreadable_file_is_refused_with_reason(data, expected):
    assert expected in refusal(data, "innocent.csv")


def test_file_name_does_not_decide_the_kind():
    assert "This is a program" in refusal(b"MZ\x90\x00" + bytes(500), "letter.pdf")
    assert read(sample_files.pdf(), "letter.exe").kind == "pdf"
