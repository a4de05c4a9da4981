"""A server that takes uploads, on two documents of its own: `from uploading import Service`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.testclient import TestClient
from problem import Response

from index.corpus import Corpus
from index.intake import Intake
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


def text_about(number: int) -> bytes:
    return f"Report {number}\n\nThe mill number {number} grinds {number + 100} sacks of rye a week.".encode()
