"""Uploading and deleting documents over HTTP while questions are answered."""

from __future__ import annotations

import io
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docx
import pytest
from fastapi.testclient import TestClient
from problem import Response
from texts import HOSTILE, MULTI_SCRIPT, by_id

from index.corpus import Corpus
from index.intake import Intake
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index
from rag.api import create_app
from rag.assistant import Assistant
from rag.settings import RagSettings

if TYPE_CHECKING:
    from index.embedder import Embedder

HERE = "http://127.0.0.1:8000"
DONE_SECONDS = 120
SHIPPED = {
    "harbour.txt": "The harbour of Tellmouth\n\nThe harbour of Tellmouth was dredged in 1987. Its two cranes lift "
    "twelve tonnes each, and the fish market beside it opens at five in the morning.",
    "school.txt": "The school of Tellmouth\n\nThe school of Tellmouth has 312 pupils and 24 teachers. A new library "
    "was opened in March, and the children chose its name.",
}
LIGHTHOUSE = (
    "The lighthouse of Morrowick\n\nThe lighthouse of Morrowick was built in 1843 by the engineer Ada Fenwright. "
    "It has 214 steps, and its lamp can be seen from 31 kilometres away. Every autumn the keepers paint its door."
)


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
    embedder: Embedder,
) -> RagSettings:
    """Settings of a data directory with two shipped documents, and limits that tests can reach."""
    root = tmp_path_factory.mktemp("uploads")
    seeds = root / "shipped"
    seeds.mkdir()
    for name, text in SHIPPED.items():
        (seeds / name).write_text(text, "utf-8")
    index = IndexSettings(
        data_dir=make_data_dir(root / "data"), seeds_dir=seeds, max_file_mb=2, read_seconds=15, _env_file=None
    )
    make_index(index, [seeds], embedder=embedder)
    return RagSettings(index=index, max_upload_mb=8, max_upload_files=60, _env_file=None)


class Service:
    """The API on one data directory, with an assistant and an intake of its own."""

    def __init__(self, settings: RagSettings, embedder: Embedder) -> None:
        self.settings = settings
        corpus = Corpus.open(settings.index, manifest_expected=None)
        self.assistant = Assistant(corpus, embedder, settings)
        self.intake = Intake(settings.index, embedder)
        self.client = TestClient(create_app(self.assistant, settings, intake=self.intake), base_url=HERE)
        self.client.__enter__()

    def close(self) -> None:
        self.client.__exit__()
        self.intake.close()
        self.assistant.close()

    @property
    def folder(self) -> Path:
        return self.settings.index.data_dir / "uploads"

    def send(self, files: Sequence[tuple[str, bytes]]) -> Response:
        return self.client.post("/v1/documents", files=[("files", file) for file in files])

    def upload(self, files: Sequence[tuple[str, bytes]]) -> dict[str, Any]:
        """The finished job of files that were acknowledged."""
        response = self.send(files)
        assert response.status_code == 202, response.text
        body = response.json()
        assert response.headers["location"] == f"/v1/documents/jobs/{body['id']}"
        return self.finished(body["id"])

    def finished(self, job_id: str) -> dict[str, Any]:
        until = time.monotonic() + DONE_SECONDS
        while time.monotonic() < until:
            job: dict[str, Any] = self.client.get(f"/v1/documents/jobs/{job_id}").json()
            if job["state"] == "done":
                assert job["finished"]
                assert job["files_done"] == job["files_total"] == len(job["files"])
                return job
            time.sleep(0.05)
        raise AssertionError(f"not done in {DONE_SECONDS} seconds: {job}")

    def one(self, name: str, content: bytes) -> dict[str, Any]:
        """What became of one file."""
        file: dict[str, Any] = self.upload([(name, content)])["files"][0]
        return file

    def delete_all(self) -> None:
        for document in self.listed(uploaded="true"):
            assert self.client.delete(f"/v1/documents/{document['id']}").status_code == 204

    def listed(self, **query: str) -> list[dict[str, Any]]:
        body = self.client.get("/v1/documents", params={"limit": "500", **query}).json()
        assert body["total"] == len(body["documents"])
        documents: list[dict[str, Any]] = body["documents"]
        return documents


@pytest.fixture(scope="module")
def opened(settings: RagSettings, embedder: Embedder) -> Iterator[Service]:
    found = Service(settings, embedder)
    yield found
    found.close()


@pytest.fixture
def service(opened: Service) -> Iterator[Service]:
    """The service without uploaded documents, before and after."""
    yield opened
    opened.delete_all()
    assert not list(opened.folder.glob("*"))


def text_about(number: int) -> bytes:
    return f"Report {number}\n\nThe mill number {number} grinds {number + 100} sacks of rye a week.".encode()


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
    service: Service, name: str, content: bytes, media_type: str
) -> None:
    file = service.one(name, content)
    assert (file["state"], file["reason"], file["detail"]) == ("indexed", None, "")
    assert (file["name"], file["size"]) == (name, len(content))
    document = service.client.get(f"/v1/documents/{file['document_id']}").json()
    assert SENTENCE in document["text"]
    assert (document["media_type"], document["path"], document["uploaded"]) == (media_type, name, True)
    assert (service.folder / name).read_bytes() == content


REFUSED: dict[str, tuple[str, bytes, str, str]] = {
    "empty": ("a.txt", b"", "empty", "is empty"),
    "blank": ("a.txt", b" \n\t ", "empty", "is empty"),
    "no-words": ("a.txt", b"--- ... ---", "empty", "no text"),
    "image-named-text": ("a.txt", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "unsupported", "image"),
    "zip": ("a.docx", b"", "unsupported", "archive"),
    "binary": ("a.txt", bytes(range(256)) * 20, "binary", ""),
    "broken-pdf": ("a.pdf", b"%PDF-1.7\nrubbish", "broken", "damaged"),
    "too-large": ("a.txt", b"word " * 500_000, "too_large", "RAG_MAX_FILE_MB"),
    "rtf": ("a.txt", b"{\\rtf1 words}", "unsupported", "PDF, DOCX"),
}


def zipped(parts: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "content", "reason", "said"), REFUSED.values(), ids=REFUSED)
def test_a_refused_file_says_why_and_the_others_go_in(
    service: Service, name: str, content: bytes, reason: str, said: str
) -> None:
    bad = content if reason != "unsupported" or content else zipped({"a.txt": b"words"})
    files = service.upload([("one.txt", text_about(1)), (name, bad), ("two.txt", text_about(2))])["files"]
    assert [file["state"] for file in files] == ["indexed", "refused", "indexed"]
    assert files[1]["reason"] == reason
    assert said in files[1]["detail"]
    assert files[1]["document_id"] is None
    assert sorted(path.name for path in service.folder.iterdir()) == ["one.txt", "two.txt"]


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
    service: Service, content: bytes
) -> None:
    files = service.upload([("bomb", content), ("after.txt", text_about(3))])["files"]
    assert files[0]["state"] == "refused"
    assert files[0]["reason"] in {"too_large", "broken", "empty", "unsupported"}
    assert files[1]["state"] == "indexed"


def test_fifty_files_at_once(service: Service) -> None:
    job = service.upload([(f"{number}.txt", text_about(number)) for number in range(50)])
    assert {file["state"] for file in job["files"]} == {"indexed"}
    assert [file["name"] for file in job["files"]] == [f"{number}.txt" for number in range(50)]
    assert len({file["document_id"] for file in job["files"]}) == 50
    assert len(service.listed(uploaded="true")) == 50


# -- names


@pytest.mark.parametrize("name", by_id(MULTI_SCRIPT))
def test_a_name_in_any_script_is_kept(service: Service, name: str) -> None:
    file = service.one(f"{name}.txt", text_about(4))
    assert file["name"] == f"{name}.txt"
    assert [document["path"] for document in service.listed(uploaded="true")] == [f"{name}.txt"]


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
def test_a_name_leads_nowhere_else(service: Service, name: str, path: str) -> None:
    root = service.folder.parent.parent

    def elsewhere() -> set[Path]:
        own = {service.folder, service.folder.parent / "incoming"}
        return {path for path in root.rglob("*") if path not in own and service.folder not in path.parents}

    before = elsewhere()
    file = service.one(name, text_about(5))
    assert file["state"] == "indexed"
    assert file["name"] in {name, path}, "as it was sent, or as the form's reader gives it"
    assert [each.name for each in service.folder.iterdir()] == [path]
    assert elsewhere() == before
    assert [document["path"] for document in service.listed(uploaded="true")] == [path]


@pytest.mark.parametrize("name", by_id(HOSTILE))
def test_a_hostile_name_is_a_name(service: Service, name: str) -> None:
    job = service.intake.submit([(name, io.BytesIO(text_about(6)))])
    assert service.finished(job.id)["files"][0]["state"] == "indexed"
    (path,) = service.folder.iterdir()
    assert not path.name.startswith(".")
    assert not any(character in path.name for character in "\x00\x07\x1b\n\r\u2028\u202e/\\")


def test_files_of_one_name_are_all_kept(service: Service) -> None:
    job = service.upload([("a.txt", text_about(number)) for number in range(3)])
    assert {file["state"] for file in job["files"]} == {"indexed"}
    paths = [document["path"] for document in service.listed(uploaded="true")]
    assert paths == ["a (2).txt", "a (3).txt", "a.txt"]


# -- the same content


def test_the_same_content_is_one_document(service: Service) -> None:
    first, second = service.upload([("a.txt", text_about(1)), ("b.txt", text_about(1))])["files"]
    assert (first["state"], second["state"]) == ("indexed", "duplicate")
    assert second["document_id"] == first["document_id"]
    assert "a.txt" in second["detail"]
    assert [path.name for path in service.folder.iterdir()] == ["a.txt"]


# -- answers


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "How many steps does the lighthouse of Morrowick have?"),
        ("sv", "Hur många trappsteg har fyren i Morrowick?"),
        ("vi", "Ngọn hải đăng Morrowick có bao nhiêu bậc thang?"),
        ("hi", "मोरोविक के प्रकाशस्तंभ में कितनी सीढ़ियाँ हैं?"),
    ],
)
def test_an_uploaded_document_answers_and_a_deleted_one_does_not(
    service: Service, language: str, question: str
) -> None:
    def asked() -> dict[str, Any]:
        body: dict[str, Any] = service.client.post("/v1/ask", json={"question": question}).json()
        return body

    file = service.one("lighthouse.txt", LIGHTHOUSE.encode())
    cited = asked()["citations"]
    assert cited[0]["document_id"] == file["document_id"]
    assert "214" in cited[0]["quote"]
    assert service.client.delete(f"/v1/documents/{file['document_id']}").status_code == 204
    assert file["document_id"] not in {citation["document_id"] for citation in asked()["citations"]}
    hits = service.client.post("/v1/search", json={"query": question, "top_k": 100}).json()["hits"]
    assert file["document_id"] not in {hit["document_id"] for hit in hits}
    assert service.client.get(f"/v1/documents/{file['document_id']}").status_code == 404
    assert service.client.delete(f"/v1/documents/{file['document_id']}").status_code == 404


def test_questions_are_answered_while_documents_come_and_go(service: Service) -> None:
    stop, failed, asked = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            response = service.client.post("/v1/ask", json={"question": "How many pupils has the school?"})
            asked.append(response.status_code)
            body = response.json()
            if response.status_code != 200 or "312" not in body["answer"]:
                failed.append(body)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(4):
            job = service.upload([(f"{number}.txt", text_about(number + 10 * turn)) for number in range(10)])
            for file in job["files"][::2]:
                assert service.client.delete(f"/v1/documents/{file['document_id']}").status_code == 204
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert asked
    assert failed == []


def test_the_next_run_of_the_indexer_finds_nothing_to_do(
    settings: RagSettings, service: Service, embedder: Embedder
) -> None:
    files = service.upload([(f"{number}.txt", text_about(number)) for number in range(4)])["files"]
    service.client.delete(f"/v1/documents/{files[0]['document_id']}")
    before = {document["id"]: document["path"] for document in service.listed()}
    summary = make_index(settings.index, default_folders(settings.index), embedder=embedder)
    assert (summary.added, summary.changed, summary.removed) == ([], [], [])
    assert {document["id"]: document["path"] for document in service.listed()} == before


# -- requests


FORM = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\nwords\r\n'
WHOLE = PART % (b"files", b"a.txt")
WRONG: dict[str, tuple[str | None, bytes, int, str]] = {
    "no-type": (None, b"", 415, "multipart/form-data"),
    "json": ("application/json", b"{}", 415, "multipart/form-data"),
    "url-encoded": ("application/x-www-form-urlencoded", b"files=a", 415, "multipart/form-data"),
    "no-boundary": ("multipart/form-data", WHOLE + b"--x--\r\n", 400, "boundary"),
    "empty-body": (FORM, b"", 400, "last boundary"),
    "rubbish": (FORM, b"rubbish", 400, "files"),
    "cut-off": (FORM, WHOLE + PART % (b"files", b"b.txt"), 400, "last boundary"),
    "cut-off-in-a-header": (FORM, WHOLE + b"--x\r\nContent-Dispo", 400, "last boundary"),
    "no-name": (FORM, b"--x\r\nContent-Type: text/plain\r\n\r\nwords\r\n--x--\r\n", 400, "name"),
    "no-file": (FORM, b"--x--\r\n", 422, "at least one"),
    "none-chosen": (FORM, PART.replace(b"words", b"") % (b"files", b"") + b"--x--\r\n", 422, "at least one"),
    "other-field": (FORM, PART % (b"file", b"a.txt") + b"--x--\r\n", 422, "field `files`"),
    "text": (
        FORM,
        b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nwords\r\n--x--\r\n',
        422,
        "file name",
    ),
    "too-many": (FORM, WHOLE * 61 + b"--x--\r\n", 400, "at most 60"),
}


@pytest.mark.parametrize(("kind", "body", "status", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_is_a_problem_and_takes_nothing_in(
    service: Service, kind: str | None, body: bytes, status: int, said: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    before = service.client.get("/v1/documents/jobs").json()
    response = service.client.post("/v1/documents", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert said in response.json()["detail"]
    assert service.client.get("/v1/documents/jobs").json() == before
    incoming = service.folder.parent / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "in-pieces"])
def test_a_request_over_the_limit_is_refused(service: Service, stated: bool) -> None:
    body = WHOLE.replace(b"words", b"x" * 9_500_000) + b"--x--\r\n"
    pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
    response = service.client.post(
        "/v1/documents", content=body if stated else pieces, headers={"Content-Type": FORM}
    )
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/documents/jobs/nothing", "/v1/documents/nothing"])
def test_what_is_not_there_is_a_problem(service: Service, path: str) -> None:
    assert service.client.get(path).status_code == 404
    assert service.client.delete(path).status_code == 404
    assert service.client.get(path).headers["content-type"] == "application/problem+json"


def test_an_upload_is_cancelled_and_what_is_indexed_stays(service: Service) -> None:
    first = service.one("kept.txt", text_about(80))
    job = service.send([(f"{number}.txt", text_about(number)) for number in range(40)]).json()
    address = f"/v1/documents/jobs/{job['id']}"
    one = service.client.delete(address, params={"file": 39}).json()
    assert (one["files"][39]["state"], one["files"][39]["reason"]) == ("refused", "cancelled")
    assert one["state"] != "done"
    rest = service.client.delete(address)
    assert rest.status_code == 200
    assert rest.json() == service.finished(job["id"]), "it is over"
    ends = {(file["state"], file["reason"]) for file in rest.json()["files"]}
    assert ("refused", "cancelled") in ends
    assert ends <= {("indexed", None), ("refused", "cancelled")}
    indexed = {file["document_id"] for file in rest.json()["files"] if file["document_id"]}
    assert {each["id"] for each in service.listed(uploaded="true")} == indexed | {first["document_id"]}
    assert service.client.delete(address).json() == rest.json(), "once more changes nothing"
    wrong = service.client.delete(address, params={"file": 40})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:polycite:problem:usage")


def test_the_list_of_uploads_is_newest_first(service: Service) -> None:
    ids = [service.upload([(f"{number}.txt", text_about(number))])["id"] for number in range(3)]
    body = service.client.get("/v1/documents/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in body["jobs"]] == ids[:0:-1]
    assert body["waiting"] == 0


def test_the_list_of_documents_can_be_narrowed(service: Service) -> None:
    service.upload([("Öppettider ÅR.txt", text_about(7)), ("lighthouse.txt", LIGHTHOUSE.encode())])
    assert [document["path"] for document in service.listed(query="öppettider")] == ["Öppettider ÅR.txt"]
    assert [document["path"] for document in service.listed(query="MORROWICK lighthouse")] == [
        "lighthouse.txt"
    ]
    assert {document["path"] for document in service.listed(uploaded="false")} == set(SHIPPED)
    assert service.listed(query="lighthouse", uploaded="false") == []
    page = service.client.get("/v1/documents", params={"query": "t", "limit": 1, "offset": 1}).json()
    assert (page["total"], len(page["documents"])) == (4, 1)


def test_without_an_intake_nothing_is_taken(opened: Service) -> None:
    app = create_app(opened.assistant, opened.settings)
    with TestClient(app, base_url=HERE) as client:
        for response in (
            client.post("/v1/documents", files=[("files", ("a.txt", b"words"))]),
            client.get("/v1/documents/jobs"),
            client.get("/v1/documents/jobs/x"),
            client.delete("/v1/documents/x"),
            client.delete("/v1/documents/jobs/x"),
        ):
            assert response.status_code == 503
            assert response.json()["type"] == "urn:polycite:problem:uploads-off"


def test_an_upload_of_a_shipped_document_stays_with_it(opened: Service) -> None:
    """And neither can be deleted here: whoever keeps the folder does that. Last, because the copy stays."""
    file = opened.one("copy.txt", SHIPPED["school.txt"].encode())
    assert file["state"] == "duplicate"
    response = opened.client.delete(f"/v1/documents/{file['document_id']}")
    assert response.status_code == 409
    assert response.json()["type"] == "urn:polycite:problem:document-kept"
    assert str(opened.settings.index.seeds_dir) in response.json()["detail"]
    assert opened.client.get(f"/v1/documents/{file['document_id']}").status_code == 200
