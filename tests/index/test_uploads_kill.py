"""kill -9 while documents are taken in, indexed and deleted: what was acknowledged is kept, nothing is there by half.

But for the last test the embedder is a digest of the text and no HTTP is spoken: what is tested is what is on the
disk when, and a start takes two seconds instead of ten.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from test_kill import DigestEmbedder, settings_for

from index.catalogue import Catalogue, Job
from index.intake import Intake
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index

if TYPE_CHECKING:
    from index.embedder import SentenceTransformerEmbedder

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 6
FILES = 5
DONE_SECONDS = 180


def content(turn: int, number: int) -> bytes:
    sentences = [
        f"Sentence {i} of report {turn}.{number} is about {i * number + turn} sacks." for i in range(40)
    ]
    return " ".join(sentences).encode()


def prepared(tmp_path: Path) -> IndexSettings:
    """An index of one shipped document."""
    seeds = tmp_path / "shipped"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The harbour was dredged in 1987.", "utf-8")
    settings = settings_for(tmp_path / "data").model_copy(update={"seeds_dir": seeds})
    make_index(settings, [seeds], embedder=DigestEmbedder())
    return settings


class Other:
    """A process with an intake that does as it is told, until it is killed."""

    def __init__(self, settings: IndexSettings) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(settings.data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.heard() == "ready"

    def tell(self, order: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()

    def heard(self) -> str:
        """The next line; "" when there is none any more."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> list[str]:
        """The lines that it had said and nobody had heard."""
        self.process.kill()
        return self.process.communicate()[0].split("\n")[:-1]

    def end(self) -> None:
        self.tell("end")
        assert self.process.wait(DONE_SECONDS) == 0
        self.process.communicate()


def finished(settings: IndexSettings) -> None:
    """Let another process do what is left."""
    other = Other(settings)
    other.tell("wait")
    assert other.heard() == "idle"
    other.end()


def documents(settings: IndexSettings) -> dict[str, str]:
    """Path -> id of the uploaded documents, of a catalogue that is whole."""
    with Catalogue.open(settings.data_dir) as catalogue:
        assert catalogue.check() == []
        live = catalogue.live()
        assert live is not None
        found = catalogue.reader(live).documents()
    folder = str((settings.data_dir / "uploads").resolve())
    return {info.path: info.id for info in found if info.folder == folder}


def in_the_folder(settings: IndexSettings) -> set[str]:
    return {path.name for path in (settings.data_dir / "uploads").glob("*")}


def test_what_was_acknowledged_is_indexed_whatever_happens(tmp_path: Path) -> None:
    draw, settings = random.Random(20_260_102), prepared(tmp_path)
    taken: dict[int, str] = {}
    for turn in range(ROUNDS):
        other = Other(settings)
        other.tell(f"submit {turn}")
        if draw.random() < 0.7:
            taken[turn] = other.heard()
            time.sleep(draw.random() * 2)
        else:
            time.sleep(draw.random() * 0.05)
        for line in other.kill():
            taken[turn] = line
        documents(settings)
    finished(settings)

    assert len(taken) >= ROUNDS / 2
    there = documents(settings)
    with Catalogue.open(settings.data_dir) as catalogue:
        jobs = {turn: catalogue.jobs.get(job_id) for turn, job_id in taken.items()}
    for turn, job in jobs.items():
        assert isinstance(job, Job)
        assert job.state == "done"
        assert [file.state for file in job.files] == ["indexed"] * FILES
        for number, file in enumerate(job.files):
            assert file.document_id == there[file.path or ""]
            assert (settings.data_dir / "uploads" / str(file.path)).read_bytes() == content(turn, number)
    for turn in set(range(ROUNDS)) - taken.keys():
        assert sum(name.startswith(f"{turn}-") for name in there) in {0, FILES}, "all of a request or nothing"
    assert in_the_folder(settings) == there.keys()
    assert list((settings.data_dir / "incoming").iterdir()) == []
    summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    assert (summary.added, summary.changed, summary.removed, summary.skipped) == ([], [], [], [])


def test_a_document_is_deleted_or_it_is_not(tmp_path: Path) -> None:
    draw, settings = random.Random(20_260_103), prepared(tmp_path)
    with Intake(settings, DigestEmbedder()) as intake:
        for turn in range(ROUNDS):
            intake.submit([(f"{turn}-{i}.txt", io.BytesIO(content(turn, i))) for i in range(FILES)])
        while intake.waiting():
            time.sleep(0.05)
    left = documents(settings)
    assert len(left) == ROUNDS * FILES
    gone: set[str] = set()
    for _ in range(ROUNDS):
        other = Other(settings)
        chosen = draw.sample(sorted(left.values()), min(8, len(left)))
        for document_id in chosen:
            other.tell(f"delete {document_id}")
        heard = [other.heard() for _ in range(draw.randrange(3))]
        time.sleep(draw.random() * 0.05)
        gone |= set(heard + other.kill())
        left = documents(settings)
        assert not gone & set(left.values())
    finished(settings)
    assert len(gone) >= ROUNDS
    assert documents(settings) == left, "nothing came back, nothing else went"
    assert in_the_folder(settings) == left.keys()
    summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    assert (summary.added, summary.changed, summary.removed, summary.skipped) == ([], [], [], [])


def test_a_killed_server_goes_on_with_its_uploads(
    tmp_path: Path, make_data_dir: Callable[[Path], Path], embedder: SentenceTransformerEmbedder
) -> None:
    """The whole program, with its own model, over HTTP."""
    seeds = tmp_path / "shipped"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The harbour of Tellmouth was dredged in 1987.", "utf-8")
    data_dir = make_data_dir(tmp_path / "data")
    settings = IndexSettings(data_dir=data_dir, seeds_dir=seeds, _env_file=None)
    make_index(settings, [seeds], embedder=embedder)
    first, address = served(settings)
    lighthouse = b"The lighthouse of Morrowick has 214 steps and was built in 1843."
    files = [("files", (f"{i}.txt", content(0, i))) for i in range(4)]
    files.append(("files", ("lighthouse.txt", lighthouse)))
    response = httpx.post(f"{address}/v1/documents", files=files, timeout=60)
    first.kill()
    first.communicate()
    assert response.status_code == 202

    second, address = served(settings)
    try:
        until = time.monotonic() + DONE_SECONDS
        while (job := httpx.get(f"{address}{response.headers['location']}", timeout=60).json())[
            "state"
        ] != "done":
            assert time.monotonic() < until
            time.sleep(0.2)
        assert {file["state"] for file in job["files"]} == {"indexed"}
        question = {"question": "How many steps does the lighthouse of Morrowick have?"}
        cited = httpx.post(f"{address}/v1/ask", json=question, timeout=60).json()["citations"]
        assert cited[0]["document_id"] == job["files"][-1]["document_id"]
    finally:
        second.terminate()
        errors = second.communicate(timeout=DONE_SECONDS)[1]
    assert second.returncode == 0, errors


_PROGRAM = """
from rag.settings import load_settings
from ui.server import serve
serve(load_settings(), ready=lambda address: print(address, flush=True))
"""


def served(settings: IndexSettings) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and its address."""
    own = {"RAG_DATA_DIR": str(settings.data_dir), "RAG_SEEDS_DIR": str(settings.seeds_dir), "RAG_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, process.communicate()[1]
    return process, address


def main() -> None:
    """The process that is killed."""

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    with Intake(settings_for(Path(sys.argv[1])), DigestEmbedder(pause=0.001)) as intake:
        say("ready")
        for line in sys.stdin:
            order, _, about = line.strip().partition(" ")
            if order == "submit":
                turn = int(about)
                names = [(f"{turn}-{i}.txt", io.BytesIO(content(turn, i))) for i in range(FILES)]
                say(intake.submit(names).id)
            elif order == "delete":
                assert intake.delete(about)
                say(about)
            elif order == "wait":
                while intake.waiting():
                    time.sleep(0.05)
                say("idle")
            else:
                return


if __name__ == "__main__":
    main()
