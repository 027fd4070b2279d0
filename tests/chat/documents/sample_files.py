"""Generators of documents of each kind, and of malicious files."""

import io
import zipfile
import zlib
from collections.abc import Sequence

import docx
from pypdf import PdfReader, PdfWriter

PAGES = [
    "The harbour report of 1924.\nThe mole was raised by two metres after the winter storm.",
    "Ships came from Lisbon and from Bergen.\nIn all there were 412 of them.",
    "The committee asks who will pay for the lighthouse.",
]


def pdf(pages: Sequence[str] = PAGES) -> bytes:
    """Return a PDF whose pages show these lines; an empty page looks like a scanned one."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for text in pages:
        objects.append(stream(_page_content(text)))
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects)} 0 R "
        objects.append(f"{page}/Resources << /Font << /F1 3 0 R >> >> >>".encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    return pdf_of(objects)


def _page_content(text: str) -> bytes:
    lines = [f"({line}) Tj T*" for line in text.replace("(", "\\(").replace(")", "\\)").split("\n") if line]
    return f"BT /F1 12 Tf 14 TL 72 770 Td {' '.join(lines)} ET".encode("latin-1") if lines else b""


def stream(data: bytes, rounds: int = 1) -> bytes:
    """Return a stream object, compressed `rounds` times."""
    for _ in range(rounds):
        data = zlib.compress(data, 9)
    filters = "/FlateDecode " * rounds
    return b"<< /Length %d /Filter [ %b] >>\nstream\n%b\nendstream" % (len(data), filters.encode(), data)


def pdf_of(objects: Sequence[bytes]) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the root."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    offsets = []
    for number, data in enumerate(objects, 1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, data))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table))
    return out.getvalue()


def locked_pdf(user: str, owner: str = "owner") -> bytes:
    """Return a PDF with passwords; with an empty user password it is locked only against changes."""
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(pdf())))
    writer.encrypt(user, owner, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_bomb() -> bytes:
    """Return some kilobytes of PDF that unpack to 150 MB."""
    huge = stream(b" " * (1024**2) * 150, rounds=2)
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>"
    return pdf_of(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, huge]
    )


def nested_pdf(depth: int = 50_000) -> bytes:
    """Return a PDF with deeply nested page trees and arrays."""
    tree = [b"<< /Type /Catalog /Pages 2 0 R /Deep " + b"[" * depth + b"]" * depth + b" >>"]
    tree += [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1) for number in range(2, 3000)]
    tree.append(b"<< /Type /Page /Parent 2 0 R >>")
    return pdf_of(tree)


def looping_pdf() -> bytes:
    """Return a PDF with a page tree that contains itself and a form that draws itself."""
    form = (
        b"<< /Subtype /Form /Resources << /XObject << /X 4 0 R >> >> /Length 5 >>\nstream\n/X Do\nendstream"
    )
    page = b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X 4 0 R >> >> >>"
    return pdf_of(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 2 >>", page, form]
    )


def pdf_of_hidden_objects() -> bytes:
    """Return some kilobytes of PDF whose objects are in a stream that unpacks to 100 MB."""
    objects = zlib.compress(b"1 0 " * 25_000_000, 9)
    hidden = b"<< /Type /ObjStm /N 1000000 /First 99999999 /Filter /FlateDecode /Length %d >>" % len(objects)
    data = hidden + b"\nstream\n" + objects + b"\nendstream"
    tree = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>", data]
    return pdf_of(tree) + b"\n5 0 obj\n<< /Extends 3 0 R >>\nendobj\n"


def pdf_of_looping_tables() -> bytes:
    """Return a PDF whose cross-reference table says that the one before is the same."""
    data = pdf()
    at = data.rindex(b"startxref")
    place = int(data[at:].split()[1])
    return data.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % place)


def nested_word(depth: int = 20_000) -> bytes:
    """Return a Word file with tables in tables."""
    name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    start, end = "<w:tbl><w:tr><w:tc>" * depth, "</w:tc></w:tr></w:tbl>" * depth
    return changed_word(
        "word/document.xml",
        f'<w:document xmlns:w="{name}"><w:body>{start}{end}</w:body></w:document>'.encode(),
    )


def spreadsheet_bomb() -> bytes:
    """Return some kilobytes of spreadsheet that unpack to 100 MB: it is refused by its kind, unread."""
    return zipped(xl__workbook_xml=bytes(100 * 1024**2))


def word() -> bytes:
    """Return a Word file with headings, a list, a table and a nested table."""
    document = docx.Document()
    document.add_heading("Harbour", 0)
    document.add_paragraph("The mole was raised by two metres.")
    document.add_heading("Costs", 1)
    document.add_paragraph("Stone", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(table._cells, ("Item", "Price", "Stone", "4,000"), strict=True):
        cell.text = words
    table.cell(1, 1).add_table(1, 1).cell(0, 0).text = "per year"
    document.add_heading("Who pays?", 1)
    document.add_paragraph("Nobody knows.")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def changed_word(name: str, data: bytes) -> bytes:
    """Return the Word file with different content in one of its members."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(word())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for part in old.infolist():
            if part.filename != name:
                new.writestr(part, old.read(part))
        new.writestr(name, data)
    return out.getvalue()


def word_bomb() -> bytes:
    """Return some kilobytes of Word file that unpack to 200 MB."""
    return changed_word("word/media/image1.png", bytes(200 * 1024**2))


def lying_word_bomb() -> bytes:
    """Return the same file with a falsely declared small size."""
    data = bytearray(word_bomb())
    declared = (200 * 1024**2).to_bytes(4, "little")
    while (at := data.find(declared)) >= 0:
        data[at : at + 4] = (100).to_bytes(4, "little")
    return bytes(data)


def laughing_word() -> bytes:
    """Return a Word file with a billion-laughs bomb: entities made of entities."""
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE w [{entities}]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:body><w:p><w:r><w:t>&a9;</w:t></w:r></w:p></w:body></w:document>"
    )
    return changed_word("word/document.xml", xml.encode())


def word_with_entity(part: str, url: str, before: str = "") -> bytes:
    """Return a Word file, one part of which shows what is at an address."""
    with zipfile.ZipFile(io.BytesIO(word())) as file:
        xml = file.read(part).decode()
    head, _, body = xml.partition("?>")
    start = body.index(">", body.index("<")) + 1
    declared = f'{head}?>{before}<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>{body[:start]}'
    shown = body[start:].replace("Nobody knows.", "&e;")
    return changed_word(part, (declared + ("" if "&e;" in shown else "&e;") + shown).encode())


def zipped(**files: bytes) -> bytes:
    """Return a zip file with these members; two underscores in a name mean a slash."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in files.items():
            file.writestr(name.replace("__", "/"), data)
    return out.getvalue()
