"""Pictures of text: read by Tesseract as the text that was drawn, marked as recognised; refused by name without it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pypdf
import pytest
from digest import DigestEmbedder, settings_for
from pictures import drawn, saved
from PIL import Image, ImageFilter
from rapidfuzz.distance import Levenshtein
from reading import LIMIT, read, refusal
from test_readers_pdf import make_pdf

from index.corpus import Corpus
from index.doctor import checks
from index.errors import ReadError, SkipReason
from index.readers import read_bytes
from index.readers.recognition import installed
from index.reading_process import ReadingProcess
from index.settings import IndexSettings
from index.types import place_at
from index.upkeep import make_index

needs_tesseract = pytest.mark.skipif(
    len(installed()) < 5, reason="Tesseract with five languages is not installed (see docs/formats.md)"
)
TEXTS = {
    "bn": ["শহরটি অনেক উন্মুক্ত তথ্য প্রকাশ করেছে।", "সকলে বিনা মূল্যে তা ব্যবহার করতে পারেন।"],
    "en": ["The harbour of Tellmouth was dredged in 1987.", "Its two cranes lift twelve tonnes each."],
    "hi": ["दोनों पक्षों ने सहयोग पर सहमति व्यक्त की।", "बैठक में नई नीतियों पर चर्चा की गई।"],
    "sv": ["Regeringen beslutade att öppna nya förskolor.", "Frågorna besvaras av myndigheten på måndag."],
    "vi": ["Thành phố đã công bố hơn 540 bộ dữ liệu mở.", "Người dân có thể tra cứu tại trụ sở phường."],
}


def errors(found: str, lines: Sequence[str]) -> float:
    expected = " ".join(lines)
    return Levenshtein.distance(" ".join(found.split()), expected) / len(expected)


def scan(page: Image.Image, *, before: Sequence[str] | None = None) -> bytes:
    """A PDF whose last page is a picture, behind one with a text layer."""
    whole = pypdf.PdfWriter()
    if before is not None:
        whole.append(io.BytesIO(make_pdf([before])))
    whole.append(io.BytesIO(saved(page, "PDF")))
    data = io.BytesIO()
    whole.write(data)
    return data.getvalue()


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@needs_tesseract
class TestRecognised:
    @pytest.mark.parametrize("language", TEXTS)
    def test_a_picture_says_what_was_drawn(self, language: str) -> None:
        document = read(saved(drawn(TEXTS[language], language), "PNG"), "a.png")
        assert errors(document.text, TEXTS[language]) <= 0.05
        assert (document.language, document.media_type) == (language, "image/png")
        assert [(place.page, place.recognised) for place in document.places] == [(None, True)]

    @pytest.mark.parametrize("kind", ["JPEG", "BMP"])
    def test_kinds(self, kind: str) -> None:
        document = read(saved(drawn(["The mill grinds rye."], "en"), kind), "a")
        assert document.text == "The mill grinds rye."

    def test_pages_of_a_tiff(self) -> None:
        pages = [drawn([line], "en") for line in TEXTS["en"]]
        document = read(saved(pages[0], "TIFF", more=pages[1:]), "a.tiff")
        place = place_at(document.places, document.text.index("cranes"))
        assert place is not None
        assert (place.page, place.recognised) == (2, True)

    def test_a_page_that_lies_on_its_side(self) -> None:
        page = drawn(TEXTS["en"], "en")
        assert "twelve tonnes each" in read(saved(page.rotate(90, expand=True), "PNG")).text

    def test_the_scanned_page_of_a_pdf_is_marked(self) -> None:
        document = read(scan(drawn(TEXTS["sv"], "sv"), before=["The mill of Tellmouth grinds rye."]), "a.pdf")
        places = [place_at(document.places, document.text.index(word)) for word in ("grinds", "förskolor")]
        assert [(place.page, place.recognised) for place in places if place] == [(1, False), (2, True)]
        assert document.notice == ""

    def test_what_cannot_be_made_out_is_no_text(self) -> None:
        page = drawn(TEXTS["en"], "en", dpi=60).filter(ImageFilter.GaussianBlur(3))
        assert refusal(saved(page.resize((900, 240)), "PNG")).reason in {SkipReason.GARBLED, SkipReason.EMPTY}

    def test_in_the_process_with_limits(self, tmp_path: Path) -> None:
        path = tmp_path / "scan"
        path.write_bytes(scan(drawn(TEXTS["en"], "en")))
        with ReadingProcess(IndexSettings(data_dir=tmp_path, _env_file=None)) as reading:
            document = reading.read(path, name="scan.pdf")
        assert document is not None
        assert errors(document.text, TEXTS["en"]) <= 0.05
        assert document.places[0].recognised

    def test_its_time_is_bounded(self) -> None:
        data = saved(drawn(TEXTS["en"], "en"), "PNG")
        with pytest.raises(ReadError, match="RAG_OCR_SECONDS") as caught:
            read_bytes(data, "a.png", max_bytes=LIMIT, max_garbled_share=0.1, ocr_seconds=0.01)
        assert caught.value.reason == SkipReason.TOO_LARGE


class TestWithoutTheProgram:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            pytest.param(saved(drawn(TEXTS["en"], "en"), "PNG"), SkipReason.UNSUPPORTED, id="image"),
            pytest.param(scan(drawn(TEXTS["en"], "en")), SkipReason.EMPTY, id="scan"),
        ],
    )
    @pytest.mark.usefixtures("no_program")
    def test_the_refusal_names_the_packages(self, data: bytes, reason: SkipReason) -> None:
        refused = refusal(data)
        assert refused.reason == reason
        assert "tesseract-ocr-hin" in refused.detail

    @pytest.mark.usefixtures("no_program")
    def test_the_doctor_names_the_packages(self, tmp_path: Path) -> None:
        settings = IndexSettings(data_dir=tmp_path / "data", _env_file=None)
        check = next(each for each in checks(settings) if each.name == "recognition")
        assert check.ok
        assert "tesseract-ocr-ben" in check.detail

    def test_pages_left_out_are_named_and_read_once_it_is_there(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        folder = tmp_path / "docs"
        folder.mkdir()
        page = drawn(TEXTS["en"], "en")
        (folder / "mixed.pdf").write_bytes(scan(page, before=["The mill of Tellmouth grinds rye."]))
        settings = settings_for(tmp_path / "data")
        with monkeypatch.context() as patched:
            patched.setenv("PATH", str(tmp_path / "empty"))
            for _ in range(2):
                ((name, notice),) = make_index(settings, [folder], embedder=DigestEmbedder()).noticed
                assert name == "mixed.pdf"
                assert notice.startswith("page 2 has no text layer")
        if not installed():
            return
        summary = make_index(settings, [folder], embedder=DigestEmbedder())
        assert (summary.changed, summary.noticed) == (["mixed.pdf"], [])
        with Corpus.open(settings, manifest_expected=None) as corpus:
            (info,) = corpus.documents()
            assert [place.recognised for place in corpus.places(info.id)] == [False, True]
            places = corpus.reader().places_in([chunk.id for chunk in corpus.chunks_of(info.id)])
            assert {place.recognised for found in places.values() for place in found} == {False, True}
