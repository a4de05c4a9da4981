"""The inputs that fuzzing begins with, made by code: `write(folder, target)`."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import docx
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from tests.office_files import FILES
from tests.texts import HOSTILE, MULTI_SCRIPT

_NUMBERS = (
    "More than 540 data sets, $3.5 million, 25 % and 1,200,000 people on 3 May 1999, 12/11/2025 and 84/167.",
    "গত ২৯ অক্টোবর ২০২৫ তারিখে ৫৪০টির বেশি, ৩৫ লাখ টাকা, পঁচিশ শতাংশ।",
    "१५ अगस्त १९४७ को लगभग ३५ लाख रुपये, ५४० से अधिक, साढ़े तीन करोड़।",
    "Drygt 1 200 personer, tjugofem procent, den 3 maj 1999, hälften av 3,5 miljoner kronor.",
    "Ngày 3 tháng 5 năm 2020, hơn 540 bộ dữ liệu, 57-NQ/TW, hai mươi lăm phần trăm, 3,5 triệu đồng.",
    "IV. XII 1/2 ½ ٥٤٠ 一百二十 99999999999999999999999999999999999999 0x1F 1e400 -0 ١٢٫٥",
)
_HTML = (
    "<html><head><title>Report &amp; more</title></head><body><article><h1>Report</h1><p>The harbour was dredged in "
    "1987. It is 412 metres long.</p><table><tr><td>City<td>540</table><figure><img><figcaption>A map</figcaption>"
    "</figure><ul><li>one<li>two</ul></article></body></html>"
)
_MARKDOWN = (
    "# Report\n\nThe *harbour* was [dredged](https://example.org/a) in 1987.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    "```\ncode\n```\n> quote\n\n1. one\n"
)


def _docx() -> bytes:
    document = docx.Document()
    document.add_heading("Report", level=1)
    document.add_paragraph("The harbour was dredged in 1987. It is 412 metres long.")
    document.add_table(rows=1, cols=2).cell(0, 0).text = "540"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _small_docx() -> bytes:
    """The fewest parts that are still a Word file: the fuzzer gets further in it than in 36 kB."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
        'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/d.xml" ContentType="{kind}"/></Types>',
        "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
        'officeDocument" Target="d.xml"/></Relationships>',
        "d.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p>'
        "<w:r><w:t>The harbour was dredged in 1987.</w:t></w:r></w:p></w:body></w:document>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _pdf() -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(width=200, height=200)
    stream = DecodedStreamObject()
    stream.set_data(b"BT /F1 12 Tf 20 100 Td (The harbour was dredged in 1987.) Tj ET")
    page[NameObject("/Contents")] = writer._add_object(stream)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def inputs(target: str) -> list[bytes]:
    """The first inputs of a target."""
    texts = [*MULTI_SCRIPT.values(), *HOSTILE.values(), *_NUMBERS]
    if target in ("normaliser", "names"):
        return [text.encode() for text in texts] + [b"\xff\xfe\x00", "e\u0301\u00ad\ufeff".encode()]
    if target != "readers":
        return [
            bytes([i % 12]) + b"\x20\x05" * (target == "spans") + text.encode()
            for i, text in enumerate(texts)
        ]
    plain = [b"\x00" + text.encode(code, "replace") for text in texts for code in ("utf-8", "utf-16")]
    files = [
        (1, _HTML.encode()),
        (2, _MARKDOWN.encode()),
        (3, _pdf()),
        (4, _docx()),
        (4, _small_docx()),
        (5, b"PK\x03\x04"),
        *((7, content) for content in FILES.values()),
    ]
    return plain + [bytes([kind]) + content for kind, content in files]


def write(folder: Path, target: str) -> None:
    """Write the first inputs of a target into a folder, named by what they hold."""
    folder.mkdir(parents=True, exist_ok=True)
    for content in inputs(target):
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
