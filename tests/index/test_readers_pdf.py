"""PDF: paragraphs of lines, text layers in any script, passwords, damage."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import pypdf
import pytest
from reading import BENGALI, SWEDISH, marked, read, refusal

from index.errors import SkipReason
from index.language.sentences import split_sentences
from index.types import place_at

NAME = pypdf.generic.NameObject


@dataclass(frozen=True)
class Placed:
    """A text at a place of its page, in points from the lower left; letters are half as wide as their size."""

    x: float
    y: float
    text: str
    size: float = 10
    up: bool = False  # written from below to above
    actual: str = ""  # what it stands for (/ActualText)


Page = Sequence[str] | Sequence[Placed]


def columns(*texts: Sequence[str], x: float = 40, apart: float = 170) -> list[Placed]:
    """Columns drawn line by line, across all of them, as some programs do."""
    rows = zip_longest(*texts, fillvalue="")
    return [
        Placed(x + apart * place, 700 - 13 * line, text)
        for line, row in enumerate(rows)
        for place, text in enumerate(row)
        if text
    ]


def make_pdf(pages: Sequence[Page], *, title: str | None = None) -> bytes:
    """A PDF of text lines in any script: one font whose glyph numbers map to characters (ToUnicode)."""
    placed = [
        [Placed(50, 780 - 14 * n, each) if isinstance(each, str) else each for n, each in enumerate(page)]
        for page in pages
    ]
    glyphs = {
        c: i + 1 for i, c in enumerate(sorted({c for page in placed for each in page for c in each.text}))
    }
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
    for i, page in enumerate(placed):
        text = "".join(_shown(each, glyphs) for each in page if each.text)
        content = f"BT\n{text}ET"
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


def _shown(each: Placed, glyphs: dict[str, int]) -> str:
    matrix = f"0 1 -1 0 {each.x} {each.y}" if each.up else f"1 0 0 1 {each.x} {each.y}"
    shown = f"/F1 {each.size} Tf {matrix} Tm <{''.join(f'{glyphs[c]:04x}' for c in each.text)}> Tj\n"
    if each.actual:
        return f"/Span <</ActualText <feff{each.actual.encode('utf-16-be').hex()}>>> BDC\n{shown}EMC\n"
    return shown


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

    def test_a_line_at_the_edge_that_differs_in_figures_is_text(self) -> None:
        pages = [[f"Ward {i}", "", f"{SWEDISH}", "", f"Budget: {11 * i} million kronor"] for i in range(1, 5)]
        document = read(make_pdf(pages), "a.pdf")
        for i in range(1, 5):
            assert f"Ward {i}" in document.text
            assert f"Budget: {11 * i} million kronor" in document.text

    @pytest.mark.parametrize("number", ["{}", "- {} -", "{}/3", "Sida {} av 3", "Page {} of 3", "পৃষ্ঠা {}"])
    def test_page_numbers(self, number: str) -> None:
        texts = [f"{SWEDISH} Del {word}." for word in ("ett", "två", "tre")]
        pages = [[text, "", number.format(i)] for i, text in enumerate(texts, 1)]
        assert read(make_pdf(pages), "a.pdf").text == "\n\n".join(texts)

    def test_columns_are_read_one_after_the_other(self) -> None:
        left = [
            "The harbour board met on 3",
            "March. It approved a crane",
            "that costs 4.6 million. The",
            "firm is Stenlund.",
        ]
        middle = [
            "The school board met on 5",
            "March. It will close the",
            "school in Brattby, which",
            "has 37 pupils left.",
        ]
        right = ["A ferry will run every", "twenty minutes. Bicycles", "travel free of charge"]
        heading = [Placed(40, 740, "News of the week", 16)]
        for texts in ((left, middle), (left, middle, right)):
            document = read(make_pdf([[*heading, *columns(*texts)]]), "a.pdf")
            whole = [" ".join(text) for text in texts]
            assert document.text == "\n\n".join(["News of the week", *whole])
            # No sentence, and so no quote, holds words of two columns.
            sentences = [s.text for s in split_sentences(document) if s.kind == "body"]
            assert all(sum(sentence in column for column in whole) == 1 for sentence in sentences)

    def test_a_table_is_read_by_row(self) -> None:
        rows = [
            ["Service", "Passport", "Building permit for a", "Dog licence"],
            ["Fee", "450 kr", "8 200 kr", "120 kr"],
        ]
        page = [*columns(*rows), Placed(40, 600, SWEDISH[:50])]
        document = read(make_pdf([page]), "a.pdf")
        assert (
            "Service: Passport; Fee: 450 kr\nService: Building permit for a; Fee: 8 200 kr" in document.text
        )

    def test_every_sentence_knows_its_page(self) -> None:
        first = "This paragraph of the report runs on over the end of the page because there was no more room for it"
        document = read(
            make_pdf([[first], ["says in its second half here. It ends there.", "", "", SWEDISH]]), "a.pdf"
        )
        pages = [place_at(document.places, document.text.index(w)) for w in ("This", "It ends", SWEDISH[:9])]
        assert [place.page for place in pages if place] == [1, 2, 2]

    def test_larger_letters_are_a_heading(self) -> None:
        page = [Placed(40, 700, "Opening hours", 14), Placed(40, 680, SWEDISH[:57])]
        document = read(make_pdf([[Placed(40, 700, SWEDISH[:57])], page]), "a.pdf")
        assert marked(document, "heading") == ["Opening hours"]

    def test_what_a_span_stands_for_is_its_text(self) -> None:
        page = [Placed(40, 700, "abcde", actual="हिन्दी"), Placed(40, 680, "fg", actual="বাংলা।")]
        assert read(make_pdf([page]), "a.pdf").text.split() == ["हिन्दी", "বাংলা।"]

    def test_text_up_the_margin_stays_apart(self) -> None:
        page = [
            Placed(40, 700, SWEDISH[:57]),
            Placed(20, 690, "Archive copy", up=True),
            Placed(40, 686, SWEDISH[58:]),
        ]
        document = read(make_pdf([page]), "a.pdf")
        assert document.text.split("\n\n")[-1] == "Archive copy"
        assert SWEDISH in document.text

    def test_filled_fields_stand_beside_their_labels(self) -> None:
        page = [Placed(40, 700, "Name:"), Placed(40, 670, "Pays by invoice:")]
        writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf([page])))
        for kind, value, y in (
            ("/Tx", pypdf.generic.TextStringObject("Yrsa Malm"), 698),
            ("/Btn", NAME("/Yes"), 668),
        ):
            field = pypdf.generic.DictionaryObject(
                {NAME("/Subtype"): NAME("/Widget"), NAME("/FT"): NAME(kind), NAME("/V"): value}
            )
            box = [pypdf.generic.FloatObject(edge) for edge in (150, y, 300, y + 14)]
            field[NAME("/Rect")] = pypdf.generic.ArrayObject(box)
            writer.add_annotation(0, field)
        text = read(_written(writer), "a.pdf").text
        assert text.split("\n") == ["Name: Yrsa Malm", "Pays by invoice: ☑"] or text.split("\n\n") == [
            "Name: Yrsa Malm",
            "Pays by invoice: ☑",
        ]

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
