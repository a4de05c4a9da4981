"""Small files of office formats, made by code: `FILES` by name. Each says when a harbour was dredged, 1987."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage

_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{space}:1.0"'
    for name, space in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
    )
)


def _zipped(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _relations(*targets: str) -> str:
    rows = "".join(
        f'<Relationship Id="r{i}" Type="{_OFFICE}/x" Target="{t}"/>' for i, t in enumerate(targets, 1)
    )
    return f'{_XML}<Relationships xmlns="{_RELATIONS}">{rows}</Relationships>'


def xlsx(sheets: dict[str, list[list[str | float]]], *, merged: str = "") -> bytes:
    """A workbook; texts are inline strings. `merged`: cells of the first sheet that are one, such as "A2:A3"."""
    rows = {}
    for name, grid in sheets.items():
        lines = "".join(
            f'<row r="{y}">'
            + "".join(
                f'<c r="{chr(64 + x)}{y}" t="inlineStr"><is><t>{cell}</t></is></c>'
                if isinstance(cell, str)
                else f'<c r="{chr(64 + x)}{y}"><v>{cell}</v></c>'
                for x, cell in enumerate(row, 1)
            )
            + "</row>"
            for y, row in enumerate(grid, 1)
        )
        rows[name] = f"<sheetData>{lines}</sheetData>"
    names = list(rows)
    if merged:
        rows[names[0]] += f'<mergeCells><mergeCell ref="{merged}"/></mergeCells>'
    listed = "".join(f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(names, 1))
    parts = {
        "_rels/.rels": _relations("xl/workbook.xml").replace("/x", "/officeDocument"),
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relations(
            *(f"worksheets/s{i}.xml" for i in range(1, len(names) + 1))
        ).replace("/x", "/worksheet"),
    }
    for i, name in enumerate(names, 1):
        parts[f"xl/worksheets/s{i}.xml"] = f'{_XML}<worksheet xmlns="{_SHEET}">{rows[name]}</worksheet>'
    return _zipped(parts)


def odf(kind: str, body: str, *, styles: str = "", meta: str = "") -> bytes:
    """An OpenDocument file: `kind` is text, presentation or spreadsheet."""
    return _zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"{_XML}<office:document-content {_ODF}><office:body><office:{kind}>{body}</office:{kind}>"
            "</office:body></office:document-content>",
            "styles.xml": f"{_XML}<office:document-styles {_ODF}>{styles}</office:document-styles>",
            "meta.xml": f'{_XML}<office:document-meta {_ODF} xmlns:dc="http://purl.org/dc/elements/1.1/">{meta}'
            "</office:document-meta>",
            "META-INF/manifest.xml": "<manifest/>",
        }
    )


def pptx(slides: list[tuple[str, list[str], str]]) -> bytes:
    """A presentation of (title, lines, speaker's note) by slide; a table stands on the first."""
    a, p = (
        "http://schemas.openxmlformats.org/drawingml/2006/main",
        "http://schemas.openxmlformats.org/presentationml/2006/main",
    )
    spaces = f'xmlns:a="{a}" xmlns:p="{p}" xmlns:r="{_OFFICE}"'

    def shape(lines: list[str], role: str) -> str:
        texts = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
        return f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{role}"/></p:nvPr></p:nvSpPr><p:txBody>{texts}</p:txBody></p:sp>'

    cells = [[("Quay", ""), ("Metres", "")], [("North", ""), ("340", "")], [("", ' vMerge="1"'), ("90", "")]]
    table = "".join(
        "<a:tr>"
        + "".join(
            f"<a:tc{merged}><a:txBody><a:p><a:r><a:t>{t}</a:t></a:r></a:p></a:txBody></a:tc>"
            for t, merged in row
        )
        + "</a:tr>"
        for row in cells
    )
    frame = f'<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>{table}</a:tbl></p:graphicFrame>'
    listed = "".join(f'<p:sldId id="{255 + i}" r:id="r{i}"/>' for i in range(1, len(slides) + 1))
    parts = {
        "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": _relations(
            *(f"slides/s{i}.xml" for i in range(1, len(slides) + 1))
        ),
    }
    for i, (title, lines, note) in enumerate(slides, 1):
        inside = (
            shape(lines, "body")
            + shape([title], "title")
            + shape(["7"], "sldNum")
            + (frame if i == 1 else "")
        )
        parts[f"ppt/slides/s{i}.xml"] = (
            f"<p:sld {spaces}><p:cSld><p:spTree>{inside}</p:spTree></p:cSld></p:sld>"
        )
        parts[f"ppt/slides/_rels/s{i}.xml.rels"] = _relations(f"../notesSlides/n{i}.xml")
        parts[f"ppt/notesSlides/n{i}.xml"] = f"<p:notes {spaces}>{shape([note], 'body')}</p:notes>"
    return _zipped(parts)


def epub(chapters: list[str], *, title: str) -> bytes:
    """An e-book of HTML bodies."""
    items = "".join(
        f'<item id="c{i}" href="c%20{i}.xhtml" media-type="application/xhtml+xml"/>'
        for i in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{i}"/>' for i in reversed(range(len(chapters))))
    return _zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="in/b.opf"/></rootfiles></container>',
            "in/b.opf": f'<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<metadata><dc:title>{title}</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"in/c {i}.xhtml": f"<html><body>{body}</body></html>" for i, body in enumerate(chapters)},
        }
    )


def mail(text: str, *, attachments: dict[str, bytes]) -> bytes:
    """A mail from Ada to Bo."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "Ada Öberg <ada@a.example>",
        "bo@b.example",
        "Harbour dués",
    )
    message["Date"] = "Mon, 04 May 2026 09:30:00 +0200"
    message.set_content(text)
    for name, content in attachments.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


WARDS: list[list[str | float]] = [
    ["Ward", "Councillor", "Population"],
    ["River Side", "Harun Sheikh", 9870.0],
    ["Hill View", "Tomas Berg", 4310.5],
]
_FACT = "The harbour was dredged in 1987."
FILES: dict[str, bytes] = {
    "a.xlsx": xlsx({"Wards": WARDS, "More": [["Harbour", "Dredged"], ["North", 1987.0]]}),
    "a.ods": odf(
        "spreadsheet",
        '<table:table table:name="S"><table:table-row><table:table-cell office:value-type="string"><text:p>Harbour'
        '</text:p></table:table-cell><table:table-cell office:value-type="float" office:value="1987"><text:p>1987'
        "</text:p></table:table-cell></table:table-row></table:table>",
    ),
    "a.pptx": pptx([("Harbour", [_FACT], "Say it twice.")]),
    "a.odt": odf("text", f"<text:h>Harbour</text:h><text:p>{_FACT}</text:p>"),
    "a.odp": odf(
        "presentation",
        f'<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Harbour</text:p></draw:text-box>'
        f"</draw:frame><draw:frame><draw:text-box><text:p>{_FACT}</text:p></draw:text-box></draw:frame></draw:page>",
    ),
    "a.epub": epub([f"<h1>Harbour</h1><p>{_FACT}</p>"], title="Harbour"),
    "a.rtf": rb"{\rtf1\ansi\ansicpg1252 {\info{\title Hamnen}}{\b Harbour}\par The harbour was dredged in 1987.}",
    "a.eml": mail(_FACT, attachments={"b.csv": b"Harbour,Dredged\nNorth,1987\n"}),
    "a.csv": b"Harbour,Dredged\nNorth,1987\nSouth,2001\n",
    "a.json": b'{"harbours": [{"name": "North", "dredged": {"year": 1987}}]}',
}
