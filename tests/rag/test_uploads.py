"""Uploading and deleting documents over HTTP while questions are answered."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from uploading import HERE, LIGHTHOUSE, SHIPPED, Service, text_about

from index.upkeep import default_folders, make_index
from rag.api import create_app
from rag.settings import RagSettings

if TYPE_CHECKING:
    from index.embedder import Embedder


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
    upload_service: Service, language: str, question: str
) -> None:
    def asked() -> dict[str, Any]:
        body: dict[str, Any] = upload_service.client.post("/v1/ask", json={"question": question}).json()
        return body

    file = upload_service.one("lighthouse.txt", LIGHTHOUSE.encode())
    cited = asked()["citations"]
    assert cited[0]["document_id"] == file["document_id"]
    assert "214" in cited[0]["quote"]
    assert upload_service.client.delete(f"/v1/documents/{file['document_id']}").status_code == 204
    assert file["document_id"] not in {citation["document_id"] for citation in asked()["citations"]}
    hits = upload_service.client.post("/v1/search", json={"query": question, "top_k": 100}).json()["hits"]
    assert file["document_id"] not in {hit["document_id"] for hit in hits}
    assert upload_service.client.get(f"/v1/documents/{file['document_id']}").status_code == 404
    assert upload_service.client.delete(f"/v1/documents/{file['document_id']}").status_code == 404


def test_questions_are_answered_while_documents_come_and_go(upload_service: Service) -> None:
    stop, failed, asked = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            response = upload_service.client.post(
                "/v1/ask", json={"question": "How many pupils has the school?"}
            )
            asked.append(response.status_code)
            body = response.json()
            if response.status_code != 200 or "312" not in body["answer"]:
                failed.append(body)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(4):
            job = upload_service.upload(
                [(f"{number}.txt", text_about(number + 10 * turn)) for number in range(10)]
            )
            for file in job["files"][::2]:
                assert upload_service.client.delete(f"/v1/documents/{file['document_id']}").status_code == 204
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert asked
    assert failed == []


def test_the_next_run_of_the_indexer_finds_nothing_to_do(
    upload_settings: RagSettings, upload_service: Service, embedder: Embedder
) -> None:
    files = upload_service.upload([(f"{number}.txt", text_about(number)) for number in range(4)])["files"]
    upload_service.client.delete(f"/v1/documents/{files[0]['document_id']}")
    before = {document["id"]: document["path"] for document in upload_service.listed()}
    summary = make_index(upload_settings.index, default_folders(upload_settings.index), embedder=embedder)
    assert (summary.added, summary.changed, summary.removed) == ([], [], [])
    assert {document["id"]: document["path"] for document in upload_service.listed()} == before


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
    upload_service: Service, kind: str | None, body: bytes, status: int, said: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    before = upload_service.client.get("/v1/documents/jobs").json()
    response = upload_service.client.post("/v1/documents", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert said in response.json()["detail"]
    assert upload_service.client.get("/v1/documents/jobs").json() == before
    incoming = upload_service.folder.parent / "incoming"
    assert not incoming.exists() or not list(incoming.iterdir())


@pytest.mark.parametrize("stated", [True, False], ids=["stated", "in-pieces"])
def test_a_request_over_the_limit_is_refused(upload_service: Service, stated: bool) -> None:
    body = WHOLE.replace(b"words", b"x" * 9_500_000) + b"--x--\r\n"
    pieces = (body[at : at + 65536] for at in range(0, len(body), 65536))
    response = upload_service.client.post(
        "/v1/documents", content=body if stated else pieces, headers={"Content-Type": FORM}
    )
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/documents/jobs/nothing", "/v1/documents/nothing"])
def test_what_is_not_there_is_a_problem(upload_service: Service, path: str) -> None:
    assert upload_service.client.get(path).status_code == 404
    assert upload_service.client.delete(path).status_code == 404
    assert upload_service.client.get(path).headers["content-type"] == "application/problem+json"


def test_an_upload_is_cancelled_and_what_is_indexed_stays(upload_service: Service) -> None:
    first = upload_service.one("kept.txt", text_about(80))
    job = upload_service.send([(f"{number}.txt", text_about(number)) for number in range(40)]).json()
    address = f"/v1/documents/jobs/{job['id']}"
    one = upload_service.client.delete(address, params={"file": 39}).json()
    assert (one["files"][39]["state"], one["files"][39]["reason"]) == ("refused", "cancelled")
    assert one["state"] != "done"
    rest = upload_service.client.delete(address)
    assert rest.status_code == 200
    assert rest.json() == upload_service.finished(job["id"]), "it is over"
    ends = {(file["state"], file["reason"]) for file in rest.json()["files"]}
    assert ("refused", "cancelled") in ends
    assert ends <= {("indexed", None), ("refused", "cancelled")}
    indexed = {file["document_id"] for file in rest.json()["files"] if file["document_id"]}
    assert {each["id"] for each in upload_service.listed(uploaded="true")} == indexed | {first["document_id"]}
    assert upload_service.client.delete(address).json() == rest.json(), "once more changes nothing"
    wrong = upload_service.client.delete(address, params={"file": 40})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:polycite:problem:usage")


def test_the_list_of_uploads_is_newest_first(upload_service: Service) -> None:
    ids = [upload_service.upload([(f"{number}.txt", text_about(number))])["id"] for number in range(3)]
    body = upload_service.client.get("/v1/documents/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in body["jobs"]] == ids[:0:-1]
    assert body["waiting"] == 0


def test_the_list_of_documents_can_be_narrowed(upload_service: Service) -> None:
    upload_service.upload([("Öppettider ÅR.txt", text_about(7)), ("lighthouse.txt", LIGHTHOUSE.encode())])
    assert [document["path"] for document in upload_service.listed(query="öppettider")] == [
        "Öppettider ÅR.txt"
    ]
    assert [document["path"] for document in upload_service.listed(query="MORROWICK lighthouse")] == [
        "lighthouse.txt"
    ]
    assert {document["path"] for document in upload_service.listed(uploaded="false")} == set(SHIPPED)
    assert upload_service.listed(query="lighthouse", uploaded="false") == []
    page = upload_service.client.get("/v1/documents", params={"query": "t", "limit": 1, "offset": 1}).json()
    assert (page["total"], len(page["documents"])) == (4, 1)


def test_without_an_intake_nothing_is_taken(open_service: Service) -> None:
    app = create_app(open_service.assistant, open_service.settings)
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


def test_an_upload_of_a_shipped_document_stays_with_it(open_service: Service) -> None:
    """And neither can be deleted here: whoever keeps the folder does that. Last, because the copy stays."""
    file = open_service.one("copy.txt", SHIPPED["school.txt"].encode())
    assert file["state"] == "duplicate"
    response = open_service.client.delete(f"/v1/documents/{file['document_id']}")
    assert response.status_code == 409
    assert response.json()["type"] == "urn:polycite:problem:document-kept"
    assert str(open_service.settings.index.seeds_dir) in response.json()["detail"]
    assert open_service.client.get(f"/v1/documents/{file['document_id']}").status_code == 200
