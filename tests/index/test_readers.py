"""Files of every format to documents, and the reasons why some are none."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import docx
import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ReadError, SkipReason, UsageError
from index.normalise import normalise
from index.readers import document_files, document_id, read_bytes, read_document
from index.readers.encoding import decode
from index.readers.finish import shorten
from index.readers.garbled import garbled_share
from index.readers.wrapped import glue, unwrap
from index.types import Document

SEEDS = Path(__file__).parents[2] / "seeds"
LIMIT = 1_000_000

SWEDISH = "Regeringen beslutade på måndagen att öppna nya förskolor. Frågorna besvaras av myndigheten."
VIETNAMESE = "Thành phố đã công bố hơn 540 bộ dữ liệu mở, phục vụ quản lý, kinh tế và xã hội."
BENGALI = "শহরটি ৫৪০ টিরও বেশি উন্মুক্ত ডেটা সেট প্রকাশ করেছে, যা ব্যবস্থাপনা ও অর্থনীতির জন্য কাজ করে।"
HINDI = "दोनों पक्षों ने सहयोग पर सहमति व्यक्त की और विशिष्ट नीतियों के विकास पर चर्चा की।"


def read(data: bytes | str, name: str = "a.txt", *, max_bytes: int = LIMIT) -> Document:
    raw = data.encode() if isinstance(data, str) else data
    return read_bytes(raw, name, max_bytes=max_bytes, max_garbled_share=0.02)


def refusal(data: bytes | str, name: str = "a.txt", *, max_bytes: int = LIMIT) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(data, name, max_bytes=max_bytes)
    assert "\n" not in caught.value.detail
    return caught.value


def marked(document: Document, kind: str) -> list[str]:
    return [document.text[s.start : s.end] for s in document.marked if s.kind == kind]


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


def make_zip(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return buffer.getvalue()


HTML = f"""<!doctype html><html lang="sv"><head><title>Nya förskolor - Tidningen</title>
<meta property="og:title" content="Nya förskolor öppnas"><link rel="canonical" href="https://news.example/a/1">
<script>var spam = 1;</script></head><body><nav><a href="/">Hem</a> <a href="/x">Nyheter</a></nav>
<article><h1>Nya förskolor</h1><p>{SWEDISH} Den nya lagen träder i kraft i juni och gäller
alla kommuner i landet.</p><figure><img src="a.jpg">
<figcaption>Ministern håller tal</figcaption></figure>
<h2>Bakgrund</h2><p>Kommunerna har länge <b>väntat</b> på en
<a href="https://l.example">utredning</a> om förskolorna.</p>
<ul><li>Lund</li><li>Umeå</li></ul><table><tr><th>Stad</th><th>Antal</th></tr><tr><td>Lund</td><td>540</td></tr></table>
SOURCE</article><footer>Copyright</footer></body></html>"""


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return [
        read_document(path, relative_to=SEEDS, max_bytes=LIMIT, max_garbled_share=0.02)
        for path in document_files(SEEDS)
    ]


class TestSeeds:
    def test_language_and_captions_of_each(self, documents: list[Document]) -> None:
        found = [(d.path[:3], d.language, len(marked(d, "caption"))) for d in documents]
        assert found == [
            ("000", "bn", 2),
            ("001", "hi", 2),
            ("002", "sv", 2),
            ("003", "bn", 1),
            ("004", "bn", 1),
        ]

    def test_parallel_documents_share_their_source(self, documents: list[Document]) -> None:
        urls = [d.source_url or "" for d in documents]
        assert urls[0] == urls[1] == urls[2]
        assert [url.split("/")[2] for url in urls[2:]] == [
            "skhcn.tayninh.gov.vn",
            "mst.gov.vn",
            "doanhnghiepvn.vn",
        ]

    def test_no_furniture_is_left(self, documents: list[Document]) -> None:
        for document in documents:
            assert "http" not in document.text
            assert not document.text.endswith("(0)")

    def test_text_is_normalised_and_titles_fit(self, documents: list[Document]) -> None:
        for document in documents:
            assert normalise(document.text) == document.text.strip()
            assert 0 < len(document.title) <= 100
            assert document.text.startswith(document.title.rstrip("…"))
            assert document.media_type == "text/plain"
            assert document.id == document_id(document.title, document.source_url, document.text)

    def test_captions_are_what_they_are(self, documents: list[Document]) -> None:
        assert marked(documents[2], "caption") == ["Scen för arbetssession", "Delegater tar souvenirfoton"]


class TestPlain:
    def test_first_sentence_is_the_title(self) -> None:
        document = read(SWEDISH)
        assert document.title == "Regeringen beslutade på måndagen att öppna nya förskolor."
        assert (document.text, document.language, document.source_url) == (SWEDISH, "sv", None)

    def test_headline_is_the_title(self) -> None:
        document = read(f"Nya förskolor\n\n{SWEDISH}")
        assert document.title == "Nya förskolor"
        assert marked(document, "heading") == ["Nya förskolor"]

    def test_path_does_not_change_the_id(self) -> None:
        assert read(SWEDISH, "x/a.txt").id == read(SWEDISH, "b.txt").id != read(HINDI, "b.txt").id

    def test_wrapped_lines_become_paragraphs(self) -> None:
        words = (SWEDISH + " ") * 4
        lines, line = [], ""
        for word in words.split():
            if len(line) + len(word) >= 60:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}".strip()
        wrapped = "\n".join([*lines, line])
        assert unwrap(wrapped) == words.strip()
        assert read(f"{wrapped}\n\n{wrapped}").text == f"{words.strip()}\n\n{words.strip()}"

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("Köp:\nmjölk\nbröd\nsmör och en ganska lång rad som inte får plats\nägg", id="list"),
            pytest.param(
                "Rosor är röda,\nvioler är blå,\nen ganska kort dikt om våren i min stad,\noch så.",
                id="verse",
            ),
            pytest.param(f"{SWEDISH * 2}\n{SWEDISH * 3}\n{SWEDISH * 2}\n{SWEDISH}", id="paragraph-lines"),
            pytest.param("", id="empty"),
        ],
    )
    def test_other_line_ends_stay(self, text: str) -> None:
        assert unwrap(text) == text


@pytest.mark.parametrize(
    ("line", "following", "joined"),
    [
        pytest.param("informa-", "tionen är", "informationen är", id="hyphenated"),
        pytest.param("enligt 57-", "NQ/TW är", "enligt 57-NQ/TW är", id="code"),
        pytest.param("en rad", "till", "en rad till", id="words"),
        pytest.param("国务院", "周三", "国务院周三", id="chinese"),
        pytest.param("একটি", "শহর", "একটি শহর", id="bengali"),
        pytest.param("", "x", "x", id="empty"),
    ],
)
def test_glue(line: str, following: str, joined: str) -> None:
    assert glue([line, following]) == joined


class TestMarkdown:
    TEXT = (
        '---\ntitle: "Läget"\nsource: https://a.example/1\n---\n# Rubrik *ett*\n\nText med **fet**, [länk](https://l.example)'
        " och `kod`,\nrad två.\n\n- a\n- b\n\n| Stad | Antal |\n|---|---|\n| Lund | 540 |\n\nSlut.\n"
    )

    def test_markup_becomes_words(self) -> None:
        document = read(self.TEXT, "a.md")
        assert document.text == (
            "Rubrik ett\n\nText med fet, länk och kod, rad två.\n\na\nb\n\nStad | Antal\nLund | 540\n\nSlut."
        )
        assert marked(document, "heading") == ["Rubrik ett"]
        assert (document.title, document.source_url) == ("Läget", "https://a.example/1")
        assert document.media_type == "text/markdown"

    def test_first_heading_is_the_title(self) -> None:
        assert read("Ingress.\n\n## Rubriken\n\nText.", "a.md").title == "Rubriken"

    def test_source_behind_a_link(self) -> None:
        document = read(f"# T\n\n{SWEDISH}\n\nKälla: [Tidningen](https://t.example/1)", "a.md")
        assert document.source_url == "https://t.example/1"
        assert document.text == f"T\n\n{SWEDISH}"

    def test_a_rule_at_the_start_is_no_front_matter(self) -> None:
        assert read(f"---\n{SWEDISH}\n---\nSlut.", "a.md").text.startswith("Regeringen")

    def test_the_name_decides_between_markdown_and_text(self) -> None:
        assert read("# Rubrik\n\nText här.", "a.txt").text.startswith("# Rubrik")


class TestHtml:
    def test_article(self) -> None:
        document = read(HTML.replace("SOURCE", ""), "page.bin")
        assert (document.title, document.source_url) == ("Nya förskolor öppnas", "https://news.example/a/1")
        assert document.text.startswith(
            f"Nya förskolor\n\n{SWEDISH} Den nya lagen träder i kraft i juni och gäller alla kommuner"
        )
        assert "väntat på en utredning om" in document.text
        assert "Lund\nUmeå" in document.text
        assert "Stad | Antal\nLund | 540" in document.text
        assert not any(word in document.text for word in ("spam", "Hem", "Copyright"))
        assert marked(document, "heading") == ["Nya förskolor", "Bakgrund"]
        assert marked(document, "caption") == ["Ministern håller tal"]
        assert document.language == "sv"

    def test_source_line_before_canonical_address(self) -> None:
        page = HTML.replace("SOURCE", '<p>Källa: <a href="https://o.example/2">Tidningen</a></p>')
        document = read(page, "a.html")
        assert document.source_url == "https://o.example/2"
        assert "Källa" not in document.text

    def test_page_without_article_gives_its_body(self) -> None:
        document = read(
            f"<html><body><div>{BENGALI}</div><div>kort<br>rad</div><script>x()</script></body></html>"
        )
        assert document.text.startswith(BENGALI)
        assert "kort" in document.text
        assert "x()" not in document.text
        assert document.language == "bn"

    def test_declared_encoding(self) -> None:
        page = f'<html><head><meta charset="windows-1252"></head><body><p>{SWEDISH}</p></body></html>'
        assert SWEDISH in read(page.encode("cp1252"), "a.html").text

    def test_deep_nesting(self) -> None:
        def page(depth: int) -> str:
            return "<html><body>" + "<div>" * depth + "djupt ner" + "</div>" * depth + "</body></html>"

        assert read(page(150)).text == "djupt ner"
        # Deeper than any page is: libxml2 stops, and nothing crashes.
        assert refusal(page(50_000)).reason is SkipReason.EMPTY

    def test_no_text(self) -> None:
        assert refusal("<html><body><img src=a.png></body></html>").reason is SkipReason.EMPTY


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


class TestWord:
    def test_paragraphs_tables_styles(self) -> None:
        document = read(make_docx(), "a.bin")
        assert document.text == (
            f"Årsrapport\n\n{SWEDISH}\n\nKarta över staden\n\nStad | Antal\nLund | 540\n\nett\n\n"
            "Sista stycket."
        )
        assert marked(document, "heading") == ["Årsrapport"]
        assert marked(document, "caption") == ["Karta över staden"]
        assert document.title == "Årsrapport"

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


class TestEncoding:
    @pytest.mark.parametrize(
        ("text", "encoding"),
        [
            pytest.param(SWEDISH, "utf-8-sig", id="utf-8-mark"),
            pytest.param(SWEDISH, "cp1252", id="sv-windows"),
            pytest.param(SWEDISH, "latin-1", id="sv-latin-1"),
            pytest.param("Vad är klockan på morgonen?", "cp1252", id="sv-short"),
            pytest.param("Die Behörde veröffentlichte über 500 Datensätze.", "cp1252", id="de-windows"),
            pytest.param("Władze ogłosiły, że źródła są już dostępne. Gęś śpi.", "cp1250", id="pl-windows"),
            pytest.param(
                "Bakanlık açık veriye ilişkin yeni yasayı çarşamba günü onayladı.", "cp1254", id="tr-windows"
            ),
            pytest.param("Правительство приняло новый закон об открытых данных.", "cp1251", id="ru-windows"),
            pytest.param("国务院周三通过了一项关于开放数据的新法律，将于六月生效。", "gb18030", id="zh"),
            pytest.param(BENGALI, "utf-16", id="bn-utf-16-mark"),
            pytest.param(BENGALI, "utf-16-le", id="bn-utf-16-no-mark"),
            pytest.param(SWEDISH, "utf-16-be", id="sv-utf-16-no-mark"),
            pytest.param(HINDI, "utf-32", id="hi-utf-32"),
        ],
    )
    def test_found(self, text: str, encoding: str) -> None:
        assert decode(text.encode(encoding)) == text

    def test_vietnamese_windows(self) -> None:
        # cp1258 writes tones as marks behind the vowel; NFC makes whole letters of them again.
        legacy = "Thành phôì ðaÞ công bôì hõn 540 bôò".encode("cp1252")
        assert normalise(decode(legacy)) == "Thành phố đã công bố hơn 540 bộ"

    def test_few_broken_bytes_do_not_change_the_encoding(self) -> None:
        assert decode(HINDI.encode() * 3 + b"\xff\xe0") == HINDI * 3 + "\ufffd\ufffd"

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(random.Random(1).randbytes(2000), id="random"),
            pytest.param(bytes(range(256)) * 4, id="all-bytes"),
            pytest.param(b"\x00\x01\x02\x03" * 100, id="nuls"),
        ],
    )
    def test_binary(self, data: bytes) -> None:
        assert refusal(data).reason is SkipReason.BINARY

    @given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
    def test_every_utf8_text_decodes(self, text: str) -> None:
        assert decode(b"x" + text.encode()) == f"x{text}"


CORRECT = {
    "bn": BENGALI + " র‍্যাব ও এ্যাপ, বাংলাদেশ দুঃখ চাঁদ হঠাৎ উদ্যোক্তা ৫৭-এনকিউ।",
    "hi": HINDI + " अर्थात् ज़रूरत हैं दुःख काँच लड़कियाँ",
    "mr": "ही बैठक मुंबईत झाली आणि ऑगस्टमध्ये पुन्हा होईल.",
    "ne": "गर्‍यो भन्यो श्रीमान् काठमाडौँ",
    "ta": "தமிழ்நாடு அரசு புதிய திட்டத்தை அறிவித்தது, கொடுக்கப்பட்டது.",
    "ml": "അവന്‍ വീട്ടില്‍ പോയി, അതു് നല്ലതാണ് കൊണ്ടുവന്നു.",
    "te": "ప్రభుత్వం కొత్త పథకాన్ని ప్రకటించింది, కైలాసం.",
    "si": "ශ්‍රී ලංකා රජය නව ව්‍යාපෘතියක් ප්‍රකාශ කළේය.",
    "pa": "ਸਰਕਾਰ ਨੇ ਨਵੀਂ ਯੋਜਨਾ ਦਾ ਐਲਾਨ ਕੀਤਾ, ਪੰਜਾਬੀ।",
    "th": "รัฐบาลอนุมัติกฎหมายใหม่เกี่ยวกับข้อมูลเปิด น้ำผึ้ง เก้าอี้",
    "my": "အစိုးရသည် ဥပဒေသစ်ကို အတည်ပြုခဲ့သည်။",
    "km": "រដ្ឋាភិបាលបានអនុម័តច្បាប់ថ្មី",
    "bo": "བོད་སྐད་ཀྱི་ཡི་གེ",
    "vi": VIETNAMESE,
    "ar": "وَافَقَتِ الحُكُومَةُ عَلَى قَانُونٍ جَدِيدٍ، مُحَمَّدٌ",
    "he": "בְּרֵאשִׁית בָּרָא אֱלֹהִים אֵת הַשָּׁמַיִם",
    "fa": "می‌خواهم کتاب‌ها را بخوانم",
    "en": "Keycaps 1️⃣, hearts ❤️, 5 °C, 3 m², l·l, ©2025 “x” naïve £5.",
    "zh": "国务院周三通过了一项新法律。",
}


class TestGarbled:
    @pytest.mark.parametrize("language", CORRECT)
    def test_correct_text_is_not(self, language: str) -> None:
        assert garbled_share(normalise(CORRECT[language])) == 0.0

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(visual, id=name)
            for name, visual in {
                # The vowel signs i, e and ai are drawn before their consonant and stored there by old PDF
                # writers.
                "visual-order-bn": "েসখােন িতিন বেলেছন েয, িবজ্ঞান ও প্রযুিক্ত িবভাগ কাজ কের।",
                "visual-order-hi": "िवज्ञान िवभाग ने िनर्णय िलया िक िशक्षा िमले",
                "dropped-consonants": "".join(c for i, c in enumerate(BENGALI) if c not in "কটরশপ"),
                "private-use": HINDI.replace("ो", "\ue012").replace("क", "\uf0a1"),
                "replacement": HINDI.replace("ा", "\ufffd"),
                "cid": "(cid:123)(cid:45)(cid:9) (cid:88)" * 10,
                "cid-between-words": "दोनों (cid:12)(cid:7) पक्षों " * 5,
                "glyph-names": "/g12/g7/g33/g4 /g9/g10/g11 " * 5,
                "bijoy-font": "evsjv‡`‡ki ¯^vaxbZv hy‡×i BwZnvm wb‡q G‡m‡Q †m",
                "utf-8-as-latin-1": SWEDISH.encode().decode("latin-1") + "Ã¶Ã¤Â¤r",
            }.items()
        ],
    )
    def test_broken_text_is(self, text: str) -> None:
        assert garbled_share(text) > 0.02

    @pytest.mark.parametrize(
        ("text", "share"), [("", 0.0), ("123 ।", 0.0), ("\ufffd\ue000", 1.0), ("abc\ufffd", 1 / 4)]
    )
    def test_values(self, text: str, share: float) -> None:
        assert garbled_share(text) == share

    @given(st.text())
    def test_is_a_share(self, text: str) -> None:
        assert 0.0 <= garbled_share(text) <= 1.0


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "name", "reason"),
        [
            pytest.param(b"", "a.txt", SkipReason.EMPTY, id="empty"),
            pytest.param(b" \n\t\r\n ", "a.txt", SkipReason.EMPTY, id="blank"),
            pytest.param("\ufeff\u200b\u00ad", "a.txt", SkipReason.EMPTY, id="invisible"),
            pytest.param("... --- !!!", "a.txt", SkipReason.EMPTY, id="no-words"),
            pytest.param("Source: https://a.example/1", "a.txt", SkipReason.EMPTY, id="source-line-alone"),
            pytest.param(
                b"\x89PNG\r\n\x1a\n" + bytes(100), "a.txt", SkipReason.UNSUPPORTED, id="png-named-txt"
            ),
            pytest.param(b"\xff\xd8\xff\xe0" + bytes(100), "a.jpg", SkipReason.UNSUPPORTED, id="jpeg"),
            pytest.param(make_zip({"a.txt": b"x"}), "a.zip", SkipReason.UNSUPPORTED, id="zip"),
            pytest.param(make_zip({"xl/workbook.xml": b"x"}), "a.xlsx", SkipReason.UNSUPPORTED, id="xlsx"),
            pytest.param(b"PK\x03\x04torn", "a.zip", SkipReason.BROKEN, id="torn-zip"),
            pytest.param(
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "a.doc", SkipReason.UNSUPPORTED, id="doc"
            ),
            pytest.param(
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
                "a.docx",
                SkipReason.ENCRYPTED,
                id="encrypted-docx",
            ),
            pytest.param("{\\rtf1 text}", "a.rtf", SkipReason.UNSUPPORTED, id="rtf"),
            pytest.param(
                "<?xml version='1.0'?><rss><item/></rss>", "a.xml", SkipReason.UNSUPPORTED, id="xml"
            ),
            pytest.param(b"\x7fELF" + bytes(100), "a", SkipReason.BINARY, id="program"),
            pytest.param("\ufffd" * 20, "a.txt", SkipReason.GARBLED, id="replacement-characters-alone"),
        ],
    )
    def test_reason(self, data: bytes | str, name: str, reason: SkipReason) -> None:
        assert refusal(data, name).reason is reason

    def test_too_large(self) -> None:
        error = refusal(SWEDISH, max_bytes=10)
        assert error.reason is SkipReason.TOO_LARGE
        assert "RAG_MAX_FILE_MB" in error.detail


class TestFiles:
    def test_listing(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside.txt"
        outside.write_text("x")
        folder = tmp_path / "docs"
        for name in ("b.txt", "a/README.md", "a/c.txt", "README.md", ".hidden", ".git/x.txt", "~$a.docx"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        (folder / "loop").symlink_to(folder)
        (folder / "out.txt").symlink_to(outside)
        (folder / "in.txt").symlink_to(folder / "b.txt")
        (folder / "nowhere.txt").symlink_to(folder / "missing.txt")
        found = [path.relative_to(folder).as_posix() for path in document_files(folder)]
        assert found == ["a/README.md", "a/c.txt", "b.txt", "in.txt", "nowhere.txt"]

    def test_not_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is not a folder"):
            document_files(tmp_path / "missing")

    def test_seeds_readme_is_no_document(self) -> None:
        assert [path.name[:3] for path in document_files(SEEDS)] == ["000", "001", "002", "003", "004"]

    def read_file(self, path: Path, folder: Path) -> Document:
        return read_document(path, relative_to=folder, max_bytes=LIMIT, max_garbled_share=0.02)

    def reason(self, path: Path, folder: Path) -> SkipReason:
        with pytest.raises(ReadError) as caught:
            self.read_file(path, folder)
        return caught.value.reason

    def test_path_is_relative(self, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b.txt"
        path.parent.mkdir()
        path.write_text(HINDI)
        document = self.read_file(path, tmp_path)
        assert (document.path, document.language) == ("a/b.txt", "hi")

    def test_outside_the_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="does not lie in"):
            self.read_file(Path("/elsewhere/a.txt"), tmp_path)

    def test_dangling_link(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").symlink_to(tmp_path / "missing")
        assert self.reason(tmp_path / "a.txt", tmp_path) is SkipReason.UNREADABLE

    def test_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").symlink_to(tmp_path / "a.txt")
        assert document_files(tmp_path) == [tmp_path / "a.txt"]
        assert self.reason(tmp_path / "a.txt", tmp_path) is SkipReason.UNREADABLE

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_no_permission(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("x")
        (tmp_path / "a.txt").chmod(0)
        assert self.reason(tmp_path / "a.txt", tmp_path) is SkipReason.UNREADABLE

    def test_folder_and_pipe(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        os.mkfifo(tmp_path / "pipe")
        assert self.reason(tmp_path / "sub", tmp_path) is SkipReason.UNREADABLE
        assert self.reason(tmp_path / "pipe", tmp_path) is SkipReason.UNSUPPORTED

    def test_too_large_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        with path.open("wb") as file:
            # A sparse file: reading its terabyte would not end.
            file.truncate(10**12)
        assert self.reason(path, tmp_path) is SkipReason.TOO_LARGE

    def test_name_that_is_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / os.fsdecode(b"a\xff.txt")
        path.write_text(SWEDISH)
        assert self.read_file(path, tmp_path).path == "a\\xff.txt"


class TestTitles:
    @pytest.mark.parametrize(
        ("text", "limit", "expected"),
        [
            pytest.param("short", 10, "short", id="fits"),
            pytest.param("one two three", 10, "one two…", id="between-words"),
            pytest.param("one, two three", 6, "one…", id="no-comma-left"),
            pytest.param("abcdefghijkl", 10, "abcdefghi…", id="one-word"),
            pytest.param("👩‍👩‍👧‍👧👩‍👩‍👧‍👧👩‍👩‍👧‍👧", 12, "👩‍👩‍👧‍👧…", id="clusters"),
            pytest.param("क्षक्षिक्षुक्षे", 8, "क्षक्षि…", id="hindi-clusters"),
        ],
    )
    def test_shorten(self, text: str, limit: int, expected: str) -> None:
        assert shorten(text, limit) == expected

    @given(st.text(max_size=300), st.integers(2, 120))
    def test_never_longer(self, text: str, limit: int) -> None:
        assert len(shorten(text, limit)) <= limit

    @pytest.mark.parametrize(
        ("text", "title"),
        [
            pytest.param("Dr. A. Berg kom. Sedan gick han.", "Dr. A. Berg kom.", id="abbreviations"),
            pytest.param("The rate is 3.5 percent now. More.", "The rate is 3.5 percent now.", id="decimal"),
            pytest.param("सभा हुई। फिर समाप्त।", "सभा हुई।", id="danda"),
            pytest.param("会议结束了。 然后", "会议结束了。", id="chinese"),
        ],
    )
    def test_first_sentence(self, text: str, title: str) -> None:
        assert read(text).title == title


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_a_reason(text: str) -> None:
    try:
        document = read(text.encode("utf-8", "replace"))
    except ReadError:
        return
    assert normalise(document.text) == document.text
    assert all(0 <= s.start < s.end <= len(document.text) for s in document.marked)
    assert 0 < len(document.title) <= 300


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe", b"---\n"]),
)
def test_any_bytes_are_a_document_or_a_reason(data: bytes, start: bytes) -> None:
    try:
        read(start + data, "a.md")
    except ReadError as error:
        assert error.detail


def test_seeds_are_as_received() -> None:
    rows = [
        line.split() for line in (SEEDS / "README.md").read_text("utf-8").splitlines() if line[:4] == "    "
    ]
    assert {name: digest for digest, name in rows} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in document_files(SEEDS)
    }


HOSTILE_UNITS = [
    " ",
    "\n",
    "a\n",
    "Source: ",
    "Source" + " " * 50,
    "https://a.example/..",
    "<!--",
    "<a ",
    "(",
    "Photo ",
    "1.,",
]


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_time_grows_with_the_size_alone(unit: str, name: str) -> None:
    start = time.process_time()
    with contextlib.suppress(ReadError):
        read("x" + unit * (200_000 // len(unit)) + "x", name)
    # A quadratic pattern takes minutes here.
    assert time.process_time() - start < 5
