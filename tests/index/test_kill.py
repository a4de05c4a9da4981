"""kill -9 at any moment of `make_index`: no half document is ever there, and the next run completes the index.

The embedder is a digest of the text, the same in every process: what is tested is what is stored when, and a start
without the model's libraries takes two seconds instead of ten.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.indexer import Indexer
from index.settings import IndexSettings
from index.upkeep import make_index, vector_faults
from index.vectors import pointer

ROOT = Path(__file__).resolve().parents[2]
FILES = 40
ROUNDS = 5
WORDS = ["river", "bridge", "harbour", "school", "market", "library", "garden", "museum", "station"]


class DigestEmbedder:
    """A unit vector from the SHA-256 of a text. `pause`: seconds a text takes."""

    name = "digest"
    revision = "1"
    dimension = 16
    max_tokens = 512
    query_prompt = ""
    passage_prompt = ""

    def __init__(self, *, pause: float = 0.0) -> None:
        self._pause = pause

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            row[:] = np.random.default_rng(seed).standard_normal(self.dimension)
            time.sleep(self._pause)
            if progress is not None:
                progress(1)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.embed_passages(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def write_documents(folder: Path, draw: random.Random, numbers: Sequence[int]) -> None:
    """Documents of about 4,000 characters, so that a run commits several times."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        sentences = [
            f"The {draw.choice(WORDS)} of document {number} was visited by {draw.randrange(10**6)} people who came "
            f"from the {draw.choice(WORDS)} and the {draw.choice(WORDS)}, and most of them liked what they saw."
            for _ in range(25)
        ]
        (folder / f"{number:02}.txt").write_text(" ".join(sentences), "utf-8")


def settings_for(data_dir: Path) -> IndexSettings:
    return IndexSettings(data_dir=data_dir, chroma_rebuild_share=0.0, _env_file=None)


def stored(settings: IndexSettings) -> dict[str, tuple[list[str], list[str], bytes]]:
    """Per file: ids of its chunks, ids of its sentences, and its vectors."""
    with Corpus.open(settings, manifest_expected=None) as corpus:
        found = {}
        for info in corpus.documents():
            chunks = [chunk.id for chunk in corpus.chunks_of(info.id)]
            sentences = [sentence.id for sentence in corpus.sentences_of(info.id)]
            vectors = b"".join(row.tobytes() for _, row in sorted(corpus.chunk_vectors(chunks).items()))
            found[info.path] = chunks, sentences, vectors + corpus.sentence_vectors(info.id).tobytes()
        return found


def kill_when(
    settings: IndexSettings, docs: Path, *, lines: int = 10**9, stage: str = "end", delay: float
) -> bool:
    """Start a run in another process and kill it, `delay` seconds after so many lines or the first of a stage.

    Returns whether that cut it off.
    """
    command = [sys.executable, __file__, str(settings.data_dir), str(docs)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        for _ in range(lines):
            if process.stdout.readline().strip() in ("", stage):
                break
        time.sleep(delay)
        process.kill()
        return process.wait() != 0


def test_killed_runs_leave_whole_documents_and_are_completed(tmp_path: Path) -> None:
    draw = random.Random(20_260_101)
    docs, settings = tmp_path / "docs", settings_for(tmp_path / "data")
    write_documents(docs, draw, range(FILES))
    killed, seen = 0, set()
    for attempt in range(ROUNDS):
        killed += kill_when(settings, docs, lines=draw.randrange(1, 2500), delay=draw.random() / 10)
        with Catalogue.open(settings.data_dir) as catalogue:
            assert catalogue.check() == [], f"after kill {attempt}"
        seen.add(len(stored(settings)))
        write_documents(docs, draw, draw.sample(range(FILES), 20))
        (docs / f"{draw.randrange(FILES):02}.txt").unlink(missing_ok=True)
    assert killed >= ROUNDS - 2, "most runs are cut before their end"
    assert seen - {0, FILES}, "some are cut between two commits"

    summary = make_index(settings, [docs], embedder=DigestEmbedder())
    assert summary.documents == len(list(docs.iterdir()))
    assert vector_faults(settings) == []
    fresh = settings_for(tmp_path / "fresh")
    with Catalogue.open(fresh.data_dir, create=True) as catalogue:
        Indexer(catalogue, DigestEmbedder(), fresh).run([docs])
    assert stored(settings) == stored(fresh)


def test_killed_while_vectors_are_written_the_next_run_writes_them(tmp_path: Path) -> None:
    docs, settings = tmp_path / "docs", settings_for(tmp_path / "data")
    write_documents(docs, random.Random(1), range(3))
    assert kill_when(settings, docs, stage="vectors", delay=0)
    assert len(stored(settings)) == 3, "every document is there already"
    make_index(settings, [docs], embedder=DigestEmbedder())
    assert vector_faults(settings) == []
    assert pointer.read(settings.data_dir) is not None


def main() -> None:
    """The run that is killed: a line for every sign of life."""

    def say(stage: str) -> None:
        sys.stdout.write(f"{stage}\n")
        sys.stdout.flush()

    make_index(
        settings_for(Path(sys.argv[1])),
        [Path(sys.argv[2])],
        progress=lambda _: say("files"),
        writing=lambda *_: say("vectors"),
        embedder=DigestEmbedder(pause=0.001),
    )


if __name__ == "__main__":
    main()
