"""What becomes of uploaded files: every format, those that are refused, names of any kind."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import docx
import pytest
from texts import HOSTILE, MULTI_SCRIPT, by_id
from uploading import Service, text_about


def make_word(paragraphs: Sequence[str]) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def make_pdf(content: bytes, *, compressed: bool = False) -> bytes:
    """A page with a content stream."""
    stream, how = (zlib.compress(content, 9), b"/Filter /FlateDecode ") if compressed else (content, b"")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d %s>>\nstream\n%s\nendstream" % (len(stream), how, stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % len(data)
    return data + b"xref\n0 6\n0000000000 65535 f \n" + table + end


SENTENCE = "The windmill of Harrow Fen grinds four hundred sacks of rye a week."
FORMATS: dict[str, tuple[str, bytes, str]] = {
    "text": ("mill.txt", SENTENCE.encode(), "text/plain"),
    "utf-16": ("mill.txt", SENTENCE.encode("utf-16"), "text/plain"),
    "markdown": ("mill.md", f"# Mill\n\n{SENTENCE}".encode(), "text/markdown"),
    "html": ("mill.html", f"<html><body><p>{SENTENCE}</p></body></html>".encode(), "text/html"),
    "html-named-text": ("mill.txt", f"<!doctype html><body><p>{SENTENCE}</p>".encode(), "text/html"),
    "word": (
        "mill.docx",
        make_word([SENTENCE]),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "pdf": ("mill.pdf", make_pdf(f"BT /F1 12 Tf 72 700 Td ({SENTENCE}) Tj ET".encode()), "application/pdf"),
    "pdf-named-text": (
        "mill.txt",
        make_pdf(f"BT /F1 12 Tf 72 700 Td ({SENTENCE}) Tj ET".encode()),
        "application/pdf",
    ),
}


# -- what becomes of files


@pytest.mark.parametrize(("name", "content", "media_type"), FORMATS.values(), ids=FORMATS)
def test_every_format_becomes_a_document(
    upload_service: Service, name: str, content: bytes, media_type: str
) -> None:
    file = upload_service.one(name, content)
    assert (file["state"], file["reason"], file["detail"]) == ("indexed", None, "")
    assert (file["name"], file["size"]) == (name, len(content))
    document = upload_service.client.get(f"/v1/documents/{file['document_id']}").json()
    assert SENTENCE in document["text"]
    assert (document["media_type"], document["path"], document["uploaded"]) == (media_type, name, True)
    assert (upload_service.folder / name).read_bytes() == content


REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "empty": ("a.txt", b"", "empty", "is empty"),
    "blank": ("a.txt", b" \n\t ", "empty", "is empty"),
    "no-words": ("a.txt", b"--- ... ---", "empty", "no text"),
    "image-named-text": ("a.txt", b"GIF89a" + b"\0" * 100, "unsupported", "image"),
    "zip": ("a.docx", b"", "unsupported", "archive"),
    "binary": ("a.txt", bytes(range(256)) * 20, "binary", ""),
    "broken-pdf": ("a.pdf", b"%PDF-1.7\nrubbish", "broken", "damaged"),
    "too-large": ("a.txt", b"word " * 500_000, "too_large", "RAG_MAX_FILE_MB"),
}


def zipped(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "content", "reason", "said"), REFUSED.values(), ids=REFUSED)
def test_a_refused_file_says_why_and_the_others_go_in(
    upload_service: Service, name: str, content: bytes, reason: str, said: str
) -> None:
    bad = content if reason != "unsupported" or content else zipped({"a.txt": b"words"})
    files = upload_service.upload([("one.txt", text_about(1)), (name, bad), ("two.txt", text_about(2))])[
        "files"
    ]
    assert [file["state"] for file in files] == ["indexed", "refused", "indexed"]
    assert files[1]["reason"] == reason
    assert said in files[1]["detail"]
    assert files[1]["document_id"] is None
    assert sorted(path.name for path in upload_service.folder.iterdir()) == ["one.txt", "two.txt"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(make_pdf(b"(a) Tj " * 12_000_000, compressed=True), id="pdf-that-unpacks-to-84-mb"),
        pytest.param(make_pdf(b"(a) Tj " * 2_000_000, compressed=True), id="pdf-of-millions-of-words"),
        pytest.param(
            zipped({"word/document.xml": b"<a>" + b"x" * 60_000_000 + b"</a>"}),
            id="word-that-unpacks-to-60-mb",
        ),
    ],
)
def test_a_file_that_grows_when_it_is_read_is_refused_and_hurts_nobody(
    upload_service: Service, content: bytes
) -> None:
    files = upload_service.upload([("bomb", content), ("after.txt", text_about(3))])["files"]
    assert files[0]["state"] == "refused"
    assert files[0]["reason"] in {"too_large", "broken", "empty", "unsupported"}
    assert files[1]["state"] == "indexed"


def test_fifty_files_at_once(upload_service: Service) -> None:
    job = upload_service.upload([(f"{number}.txt", text_about(number)) for number in range(50)])
    assert {file["state"] for file in job["files"]} == {"indexed"}
    assert [file["name"] for file in job["files"]] == [f"{number}.txt" for number in range(50)]
    assert len({file["document_id"] for file in job["files"]}) == 50
    assert len(upload_service.listed(uploaded="true")) == 50


# -- names


@pytest.mark.parametrize("name", by_id(MULTI_SCRIPT))
def test_a_name_in_any_script_is_kept(upload_service: Service, name: str) -> None:
    file = upload_service.one(f"{name}.txt", text_about(4))
    assert file["name"] == f"{name}.txt"
    assert [document["path"] for document in upload_service.listed(uploaded="true")] == [f"{name}.txt"]


NAMES = {
    "up": ("../../escaped.txt", "escaped.txt"),
    "absolute": ("/etc/cron.d/escaped", "escaped"),
    "windows": ("C:\\temp\\a.txt", "a.txt"),
    "dots": ("..", "unnamed"),
    "hidden": (".profile", "profile"),
    "lock-file": ("~$a.docx", "a.docx"),
    "readme": ("README.md", "README (2).md"),
    "long": ("ü" * 300 + ".txt", "ü" * 98 + ".txt"),
    "turned-round": ("a\u202egpj.txt", "agpj.txt"),
}


@pytest.mark.parametrize(("name", "path"), NAMES.values(), ids=NAMES)
def test_a_name_leads_nowhere_else(upload_service: Service, name: str, path: str) -> None:
    root = upload_service.folder.parent.parent

    def elsewhere() -> set[Path]:
        own = {upload_service.folder, upload_service.folder.parent / "incoming"}
        return {
            path for path in root.rglob("*") if path not in own and upload_service.folder not in path.parents
        }

    before = elsewhere()
    file = upload_service.one(name, text_about(5))
    assert file["state"] == "indexed"
    assert file["name"] in {name, path}, "as it was sent, or as the form's reader gives it"
    assert [each.name for each in upload_service.folder.iterdir()] == [path]
    assert elsewhere() == before
    assert [document["path"] for document in upload_service.listed(uploaded="true")] == [path]


@pytest.mark.parametrize("name", by_id(HOSTILE))
def test_a_hostile_name_is_a_name(upload_service: Service, name: str) -> None:
    job = upload_service.intake.submit([(name, io.BytesIO(text_about(6)))])
    assert upload_service.finished(job.id)["files"][0]["state"] == "indexed"
    (path,) = upload_service.folder.iterdir()
    assert not path.name.startswith(".")
    assert not any(character in path.name for character in "\x00\x07\x1b\n\r\u2028\u202e/\\")


def test_files_of_one_name_are_all_kept(upload_service: Service) -> None:
    job = upload_service.upload([("a.txt", text_about(number)) for number in range(3)])
    assert {file["state"] for file in job["files"]} == {"indexed"}
    paths = [document["path"] for document in upload_service.listed(uploaded="true")]
    assert paths == ["a (2).txt", "a (3).txt", "a.txt"]


# -- the same content


def test_the_same_content_is_one_document(upload_service: Service) -> None:
    first, second = upload_service.upload([("a.txt", text_about(1)), ("b.txt", text_about(1))])["files"]
    assert (first["state"], second["state"]) == ("indexed", "duplicate")
    assert second["document_id"] == first["document_id"]
    assert "a.txt" in second["detail"]
    assert [path.name for path in upload_service.folder.iterdir()] == ["a.txt"]
