"""PDF: paragraphs of lines, text layers in any script, passwords, damage."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pypdf
import pytest
from reading import BENGALI, SWEDISH, read, refusal

from index.errors import SkipReason


def make_pdf(pages: Sequence[Sequence[str]], *, title: str | None = None) -> bytes:
    """A PDF of text lines in any script: one font whose glyph numbers map to characters (ToUnicode)."""
    glyphs = {c: i + 1 for i, c in enumerate(sorted({c for page in pages for line in page for c in line}))}
    rows = "".join(f"<{i:04x}> <{c.encode('utf-16-be').hex()}>\n" for c, i in glyphs.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange\n{len(glyphs)} beginbfchar\n{rows}endbfchar\n"
        "endcmap end end"
    )
    kids = " ".join(f"{7 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H"
        " /DescendantFonts [4 0 R] /ToUnicode 6 0 R >>",
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDSystemInfo << /Registry (Adobe)"
        " /Ordering (Identity) /Supplement 0 >> /FontDescriptor 5 0 R /DW 500 >>",
        "<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 1 1] /ItalicAngle 0 /Ascent 1"
        " /Descent 0 /CapHeight 1 /StemV 1 >>",
        f"<< /Length {len(cmap)} >>\nstream\n{cmap}\nendstream",
    ]
    for i, page in enumerate(pages):
        text = "".join(
            f"1 0 0 1 50 {780 - 14 * n} Tm <{''.join(f'{glyphs[c]:04x}' for c in line)}> Tj\n"
            for n, line in enumerate(page)
            if line
        )
        content = f"BT /F1 10 Tf\n{text}ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {8 + 2 * i} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects.append(f"<< /Length {len(content)} >>\nstream\n{content}\nendstream")
    out = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    xref = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{xref}\n%%EOF".encode()
    return _with_title(out, title) if title is not None else out


def _with_title(data: bytes, title: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.add_metadata({"/Title": title})
    return _written(writer)


def _written(writer: pypdf.PdfWriter) -> bytes:
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def encrypted_pdf(*, user_password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf([[SWEDISH]])))
    writer.encrypt(user_password=user_password, owner_password="owner", algorithm="RC4-128")
    return _written(writer)


class TestPdf:
    def test_lines_become_paragraphs(self) -> None:
        page = [
            "Regeringen beslutade på måndagen att öppna nya förskolor i hela lan-",
            "det, och myndigheten ska enligt planen svara på alla frågor som kommer",
            "in under året.",
            "Kommunerna har länge väntat på beslutet, som gäller från och med juni",
            "nästa år.",
        ]
        document = read(make_pdf([page], title="Nya förskolor"), "a.pdf")
        assert document.title == "Nya förskolor"
        assert "i hela landet, och myndigheten" in document.text
        first, second = document.text.split("\n\n")
        assert first.endswith("under året.")
        assert second.endswith("nästa år.")
        assert (document.language, document.media_type) == ("sv", "application/pdf")

    @pytest.mark.parametrize(
        "title", ["Microsoft Word - rapport.doc", "rapport_final.docx", "untitled", " ", "2025-01-01"]
    )
    def test_a_producers_title_is_none(self, title: str) -> None:
        assert read(make_pdf([[SWEDISH]], title=title), "a.pdf").title.startswith("Regeringen beslutade")

    def test_bengali_text_layer(self) -> None:
        document = read(make_pdf([[BENGALI]]), "a.pdf")
        assert (document.text, document.language) == (BENGALI, "bn")

    def test_running_lines_and_page_numbers_go(self) -> None:
        pages = [
            ["Årsrapport 2025", "", f"{SWEDISH} Sida {word}.", "", str(i)]
            for i, word in enumerate(["ett", "två", "tre"], 1)
        ]
        text = read(make_pdf(pages), "a.pdf").text
        assert "Årsrapport" not in text
        assert [line.split()[-1] for line in text.split("\n\n")] == ["ett.", "två.", "tre."]

    def test_empty_password_opens(self) -> None:
        assert read(encrypted_pdf(user_password=""), "a.pdf").text == SWEDISH

    @pytest.mark.parametrize(
        ("data", "reason", "word"),
        [
            pytest.param(
                encrypted_pdf(user_password="secret"), SkipReason.ENCRYPTED, "password", id="password"
            ),
            pytest.param(make_pdf([[]]), SkipReason.EMPTY, "OCR", id="no-text-layer"),
            pytest.param(make_pdf([[SWEDISH]])[:300], SkipReason.BROKEN, "damaged", id="cut-off"),
            pytest.param(b"%PDF-1.7\n" + b"rubbish " * 50, SkipReason.BROKEN, "damaged", id="rubbish"),
            pytest.param(
                make_pdf([["ি\u200bক \ufffd\ue000 ােব" * 5]]), SkipReason.GARBLED, "OCR", id="garbled"
            ),
        ],
    )
    def test_refused(self, data: bytes, reason: SkipReason, word: str) -> None:
        error = refusal(data, "a.pdf")
        assert error.reason is reason
        assert word in error.detail

    def test_cause_is_kept(self) -> None:
        assert refusal(b"%PDF-1.7\nrubbish", "a.pdf").__cause__ is not None
