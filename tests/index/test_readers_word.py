"""Word: paragraphs, tables, styles, tracked changes, and what an archive may unpack to."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest
from reading import SWEDISH, make_zip, marked, read, refusal

from index.errors import SkipReason


def make_docx(*, title: str = "") -> bytes:
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading("Årsrapport", level=1)
    document.add_paragraph(SWEDISH)
    document.add_paragraph("Karta över staden", style="Caption")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["Stad", "Antal", "Lund", "540"], strict=True):
        cell.text = text
    document.add_paragraph("ett", style="List Bullet")
    document.add_paragraph("Sista stycket.")
    return saved(document)


def saved(document: docx.document.Document) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


class TestWord:
    def test_paragraphs_tables_styles(self) -> None:
        document = read(make_docx(), "a.bin")
        assert document.text == (
            f"Årsrapport\n\n{SWEDISH}\n\nKarta över staden\n\nStad: Lund; Antal: 540\n\nett\n\nSista stycket."
        )
        assert marked(document, "heading") == ["Årsrapport"]
        assert marked(document, "caption") == ["Karta över staden"]
        assert document.title == "Årsrapport"

    def test_merged_cells_headers_and_footers(self) -> None:
        document = docx.Document()
        table = document.add_table(rows=3, cols=3)
        cells = ["Zone", "Day", "Driver", "West", "Thursday", "Aune", "", "Friday", "Berge"]
        for cell, text in zip(table._cells, cells, strict=True):
            cell.text = text
        table.cell(1, 0).merge(table.cell(2, 0))
        document.sections[0].header.paragraphs[0].text = "Case no. 2026/118"
        document.sections[0].footer.paragraphs[0].text = "Page 1 of 2"
        document.sections[0].footer.add_paragraph("Archivist")
        word = read(saved(document), "a.docx")
        assert word.text == (
            "Zone: West; Day: Thursday; Driver: Aune\nZone: West; Day: Friday; Driver: Berge\n\n"
            "Archivist\n\nCase no. 2026/118"
        )
        assert marked(word, "note") == ["Archivist", "Case no. 2026/118"]

    def test_a_footnote_follows_its_paragraph(self) -> None:
        document = docx.Document()
        document.add_paragraph("A sack costs 25 kroner.MARK")
        document.add_paragraph("Call us.")
        space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        head = f"<w:footnotes {space}>"
        note = f"{head}<w:footnote w:id='4'><w:p><w:r><w:t>Pensioners pay 10.</w:t></w:r></w:p></w:footnote>"
        with zipfile.ZipFile(io.BytesIO(saved(document))) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        mark = b'</w:t></w:r><w:r><w:footnoteReference w:id="4"/></w:r><w:r><w:t>'
        parts["word/document.xml"] = parts["word/document.xml"].replace(b"MARK", mark)
        parts["word/footnotes.xml"] = f"{note}</w:footnotes>".encode()
        word = read(make_zip(parts), "a.docx")
        assert word.text == "A sack costs 25 kroner.\n\nPensioners pay 10.\n\nCall us."

    def test_title_of_the_properties(self) -> None:
        assert read(make_docx(title="Rapport 2025"), "a.docx").title == "Rapport 2025"
        assert read(make_docx(title="Word Document"), "a.docx").title == "Årsrapport"

    def test_tracked_changes(self) -> None:
        document = docx.Document()
        paragraph = document.add_paragraph("före ")
        for tag, inner, text in (("del", "delText", "struket "), ("ins", "t", "infogat")):
            run = paragraph.add_run(text)._r
            change = run.makeelement(run.tag.replace("}r", f"}}{tag}"), {})
            run.addprevious(change)
            change.append(run)
            run[0].tag = run[0].tag.rsplit("}", 1)[0] + "}" + inner
        assert read(saved(document), "a.docx").text == "före infogat"

    def test_unpacked_size_is_bounded(self) -> None:
        bomb = make_zip({"word/document.xml": b" " * 5_000_000})
        assert len(bomb) < 100_000
        assert refusal(bomb, "a.docx", max_bytes=1_000_000).reason is SkipReason.TOO_LARGE

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(make_docx()[:2000], id="cut-off"),
            pytest.param(make_zip({"word/document.xml": b"<not-word"}), id="no-word-parts"),
        ],
    )
    def test_damaged(self, data: bytes) -> None:
        error = refusal(data, "a.docx")
        assert error.reason is SkipReason.BROKEN
        assert error.__cause__ is not None
