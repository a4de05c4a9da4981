"""What holds for files of every format: the shipped ones, reasons why some are no documents, any bytes at all."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import LIMIT, SWEDISH, make_zip, marked, read, refusal

from index.errors import ReadError, SkipReason
from index.normalise import normalise
from index.readers import document_files, document_id, read_document
from index.types import Document

SEEDS = Path(__file__).parents[2] / "seeds"


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
            assert document.id == document_id(
                document.title, document.source_url, document.text, path=document.path
            )

    def test_captions_are_what_they_are(self, documents: list[Document]) -> None:
        assert marked(documents[2], "caption") == ["Scen för arbetssession", "Delegater tar souvenirfoton"]


def test_seeds_are_as_received() -> None:
    rows = [
        line.split() for line in (SEEDS / "README.md").read_text("utf-8").splitlines() if line[:4] == "    "
    ]
    assert {name: digest for digest, name in rows} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in document_files(SEEDS)
    }


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "name", "reason"),
        [
            pytest.param(b"", "a.txt", SkipReason.EMPTY, id="empty"),
            pytest.param(b" \n\t\r\n ", "a.txt", SkipReason.EMPTY, id="blank"),
            pytest.param("\ufeff\u200b\u00ad", "a.txt", SkipReason.EMPTY, id="invisible"),
            pytest.param("... --- !!!", "a.txt", SkipReason.EMPTY, id="no-words"),
            pytest.param("Source: https://a.example/1", "a.txt", SkipReason.EMPTY, id="source-line-alone"),
            pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), "a.txt", SkipReason.BROKEN, id="png-named-txt"),
            pytest.param(b"\xff\xd8\xff\xe0" + bytes(100), "a.jpg", SkipReason.BROKEN, id="jpeg"),
            pytest.param(make_zip({"a.txt": b"x"}), "a.zip", SkipReason.UNSUPPORTED, id="zip"),
            pytest.param(make_zip({"xl/workbook.xml": b"x"}), "a.xlsx", SkipReason.BROKEN, id="xlsx"),
            pytest.param(
                make_zip({"mimetype": b"x", "content.xml": b"x"}), "a.odg", SkipReason.UNSUPPORTED, id="odg"
            ),
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


def seconds(unit: str, name: str, size: int) -> float:
    """CPU time of reading so many characters of it."""
    start = time.process_time()
    with contextlib.suppress(ReadError):
        read("x" + unit * (size // len(unit)) + "x", name)
    return time.process_time() - start


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_time_grows_with_the_size_alone(unit: str, name: str) -> None:
    seconds(unit, name, 100)  # what is loaded on first use
    large = seconds(unit, name, 200_000)
    # A quadratic pattern takes minutes here; on a slow machine it shows against a quarter of the size: 16 to 1, not 4.
    assert large < 5 or large < 10 * seconds(unit, name, 50_000)
