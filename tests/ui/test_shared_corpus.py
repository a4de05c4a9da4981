"""Several services on one corpus: a real PostgreSQL holds the catalogue, a real Chroma server the vectors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from chroma_server import ChromaForTests
from postgres_server import PASSWORD

from index.settings import SHIPPED_DOCUMENTS
from rag.asking import Ask

if TYPE_CHECKING:
    from postgres_server import PostgresForTests

    from rag.assistant import Assistant

WAIT_SECONDS = 300
QUESTIONS = [
    "How many open data sets has the city of Can Tho published?",
    "ক্যান থো শহর কতগুলি ডেটাসেট প্রকাশ করেছে?",
    "Hur många öppna datamängder har staden Can Tho publicerat?",
    "डेटा कौन प्रकाशित करता है?",
    "Which river flows through the capital of Peru?",
]
# What differs between two answers that are the same.
_OWN = ("id", "timings_ms")


class Service:
    """`rag serve` in a process of its own, with a data directory of its own."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._log = folder / "log"
        self.client = httpx.Client()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ui.cli", "serve", "--port", "0"],
                env={**environment, "RAG_DATA_DIR": str(folder / "data")},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def ready(self) -> None:
        """Wait until it answers."""
        assert self.process.stdout is not None
        for line in self.process.stdout:  # what it indexed comes first
            if line.startswith("Chat at http"):
                address = line.split()[2].rstrip("/,")
                self.client = httpx.Client(base_url=address, timeout=WAIT_SECONDS)
                return
        raise AssertionError(self.log())

    def ask(self, question: str) -> dict[str, Any]:
        answer: dict[str, Any] = (
            self.client.post("/v1/ask", json={"question": question}).raise_for_status().json()
        )
        return {name: value for name, value in answer.items() if name not in _OWN}

    def problem(self, question: str) -> tuple[int, str, str]:
        response = self.client.post("/v1/ask", json={"question": question})
        body = response.json()
        return response.status_code, body.get("type", ""), body.get("detail", "")

    def ready_status(self) -> int:
        return self.client.get("/readyz").status_code

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=WAIT_SECONDS)
        self.client.close()


@dataclass
class Shared:
    """What the tests of this file have in common; they run in their order."""

    postgres: PostgresForTests
    chroma: ChromaForTests
    environment: dict[str, str]
    documents: Path
    one: Service
    two: Service

    def index(self) -> None:
        """An indexing run of a third process."""
        done = subprocess.run(
            [sys.executable, "-m", "ui.cli", "index"],
            env={**self.environment, "RAG_DATA_DIR": str(self.documents.parent / "third" / "data")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr

    @property
    def services(self) -> tuple[Service, Service]:
        return self.one, self.two


@pytest.fixture(scope="module")
def shared(
    postgres: PostgresForTests,
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("shared")
    chroma = ChromaForTests(folder / "chroma")
    documents = folder / "documents"
    shutil.copytree(SHIPPED_DOCUMENTS, documents)
    for name in ("one", "two", "third"):
        make_data_dir(folder / name / "data")
    environment = {
        **os.environ,
        "RAG_DATABASE_URL": postgres.url(),
        "RAG_CHROMA_URL": chroma.url,
        "RAG_SHARED_DIR": str(folder / "files"),
        "RAG_SEEDS_DIR": str(documents),
        "RAG_LOG_LEVEL": "debug",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    with ExitStack() as stack:
        chroma.start()
        stack.callback(chroma.stop)
        # Both find nothing indexed: one of them makes the index, the other waits for it.
        services = [Service(environment, folder / name) for name in ("one", "two")]
        for service in services:
            stack.callback(service.stop)
        for service in services:
            service.ready()
        yield Shared(postgres, chroma, environment, documents, *services)


def until(true: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def same(found: Any, expected: Any) -> bool:
    """Equal, with numbers within 1e-6."""
    if isinstance(expected, float):
        return isinstance(found, float) and abs(found - expected) <= 1e-6
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


@pytest.mark.parametrize("question", QUESTIONS, ids=["en", "bn", "sv", "hi", "refused"])
def test_both_answer_as_the_embedded_set_up_does(shared: Shared, assistant: Assistant, question: str) -> None:
    expected = {k: v for k, v in assistant.answer(Ask(question)).to_dict().items() if k not in _OWN}
    for service in shared.services:
        assert same(service.ask(question), expected), (service.ask(question), expected)
    hits = [asdict(hit) for hit in assistant.search(Ask(question), top_k=10)]
    for service in shared.services:
        found = service.client.post("/v1/search", json={"query": question, "top_k": 10}).json()["hits"]
        assert same(found, hits)


def test_an_upload_to_one_is_indexed_once_and_known_to_both(shared: Shared) -> None:
    text = "The lighthouse of Skagsudde was painted in 1871."
    response = shared.one.client.post("/v1/documents", files=[("files", ("tower.txt", text.encode()))])
    job = response.raise_for_status().json()["id"]
    until(lambda: shared.two.client.get(f"/v1/documents/jobs/{job}").json()["state"] == "done")
    for service in shared.services:
        answer = service.ask("When was the lighthouse of Skagsudde painted?")
        assert answer["short_answer"] == "1871"
    document = answer["citations"][0]["document_id"]
    assert shared.two.client.delete(f"/v1/documents/{document}").status_code == 204
    for service in shared.services:
        assert service.client.get(f"/v1/documents/{document}").status_code == 404


def test_an_indexing_run_of_a_third_process_is_seen_by_both(shared: Shared) -> None:
    text = "The mill at Ekeby ground 312 sacks of rye in the autumn of 1904."
    (shared.documents / "mill.txt").write_text(text, "utf-8")
    shared.index()
    for service in shared.services:
        answer = service.ask("How many sacks of rye did the mill at Ekeby grind?")
        assert answer["short_answer"] == "312"


def test_when_one_is_killed_the_other_goes_on(shared: Shared) -> None:
    expected = shared.two.ask(QUESTIONS[0])
    shared.one.stop(signal.SIGKILL)
    assert shared.two.ask(QUESTIONS[0]) == expected
    # It also takes over the turn of whoever worked off the uploads.
    files = [("files", ("pier.txt", b"The pier of Norrfallsviken is 140 metres long."))]
    job = shared.two.client.post("/v1/documents", files=files).raise_for_status().json()["id"]
    until(lambda: shared.two.client.get(f"/v1/documents/jobs/{job}").json()["state"] == "done")
    assert shared.two.ask("How long is the pier of Norrfallsviken?")["short_answer"] == "140 metres"


@pytest.mark.parametrize("server", ["postgres", "chroma"])
def test_a_server_that_restarts_is_a_clear_problem_meanwhile_and_none_afterwards(
    shared: Shared, server: str
) -> None:
    stopped: PostgresForTests | ChromaForTests = getattr(shared, server)
    expected = shared.two.ask(QUESTIONS[0])
    stopped.stop()
    try:
        status, kind, detail = shared.two.problem(QUESTIONS[0])
        assert (status, kind) == (503, "urn:polycite:problem:index-unreachable")
        assert "start it" in detail
        assert PASSWORD not in detail
        assert shared.two.ready_status() == 503
        assert shared.two.client.get("/healthz").status_code == 200
        metrics = shared.two.client.get("/metrics")
        assert metrics.status_code == 200
    finally:
        stopped.start()
    assert shared.two.ask(QUESTIONS[0]) == expected
    assert shared.two.ready_status() == 200
    assert shared.two.ask("How long is the pier of Norrfallsviken?")["short_answer"] == "140 metres"


def test_the_doctor_finds_it_sound_and_nobody_tells_the_password(shared: Shared) -> None:
    environment = {**shared.environment, "RAG_DATA_DIR": str(shared.documents.parent / "third" / "data")}
    command = [sys.executable, "-m", "ui.cli", "doctor"]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    listed = subprocess.run(
        [*command, "--settings"], env=environment, capture_output=True, text=True, check=False
    )
    assert "RAG_DATABASE_URL" in listed.stdout
    ready = shared.two.client.get("/readyz").text
    told = found.stdout + found.stderr + listed.stdout + listed.stderr + ready
    for text in (told, shared.one.log(), shared.two.log()):
        assert PASSWORD not in text
