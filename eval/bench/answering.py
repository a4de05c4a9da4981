"""The time of each stage of an answer over one corpus, and recall of its searches against exact search."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.bench.processes import answer_measure
from eval.bench.stages import REST, Clock, Door
from index.catalogue.records import SPACES
from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.indexer import manifest_for
from index.settings import IndexSettings
from index.vectors.exact import ExactRows
from index.vectors.live import merged
from rag.asking import Ask
from rag.assistant import Assistant, load_reader
from rag.matching.vectors import QuestionVectors
from rag.settings import load_settings

EMBED, DENSE, WORDS, ROWS, READ = "embedding", "nearest vectors", "words and names", "stored rows", "reader"
STAGES = (EMBED, DENSE, WORDS, ROWS, READ, REST)

_RECALLED = 10
_ROWS = (
    "passages", "sentence_vectors_in", "sentences_in", "openings", "parallels", "parallel",
    "chunks_holding", "chunk_vectors", "document", "counts",
)  # fmt: skip
_READER = dict.fromkeys(_ROWS, ROWS)
_CORPUS = {
    "search_chunks": DENSE,
    "search_sentences": DENSE,
    "search_text": WORDS,
    "frequencies": WORDS,
    "counts": ROWS,
    "document": ROWS,
    "document_ids": ROWS,
}


def ask_all(
    corpus: Corpus, embedder: Embedder, questions: Sequence[str], *, reader: bool
) -> dict[str, dict[str, float]]:
    """Ask every question once; the time of one query embedding is taken beside each.

    The first half is not timed: a service that has just begun meets most words of its documents for the first time.

    Returns:
        Stage, "total" or "one embedding" -> "p50" and "p95" in milliseconds, and "p50_embeddings", the median in times
        of one query embedding, each question's by the median of all.
    """
    settings = load_settings()
    clock = Clock()
    read = load_reader(settings) if reader else None
    timed: Any = _TimedCorpus(corpus, clock, _CORPUS, {"reader": _READER})
    # What is waited for: part of the embedding is done beside other stages.
    vectors: Any = Door(QuestionVectors(embedder), clock, {}, {"of": {"result": EMBED}})
    assistant = Assistant(
        timed,
        embedder,
        settings,
        reader=lambda: Door(read, clock, {"read": READ}) if read else None,  # type: ignore[arg-type,return-value]
        vectors=vectors,
    )
    half = len(questions) // 2
    warm, asked = questions[:half], questions[half:]
    for question in warm:
        assistant.answer(Ask(question, engine="extractive"))
    clock.spent()
    times: dict[str, list[float]] = defaultdict(list)
    for question in asked:
        started = time.perf_counter()
        embedder.embed_queries([question])
        times["one embedding"].append(time.perf_counter() - started)
        with clock.stage(REST):
            assistant.answer(Ask(question, engine="extractive"))
        spent = clock.spent()
        for stage in STAGES:
            times[stage].append(spent.get(stage, 0.0))
        times["total"].append(sum(spent.values()))
    unit = float(np.median(times["one embedding"]))
    return {name: _summary(np.array(values), unit) for name, values in times.items()}


class _TimedCorpus(Door):
    """A corpus whose snapshots are timed like itself."""

    @contextmanager
    def snapshot(self) -> Iterator[Door]:
        with self._target.snapshot() as moment:  # type: ignore[attr-defined]
            yield Door(moment, self._clock, self._stages, self._inside)


def _summary(seconds: NDArray[np.float64], unit: float) -> dict[str, float]:
    p50, p95 = (float(np.percentile(seconds, share)) for share in (50, 95))
    return {
        "p50": round(p50 * 1000, 2),
        "p95": round(p95 * 1000, 2),
        "p50_embeddings": round(p50 / unit, 2),
        "p95_embeddings": round(p95 / unit, 2),
    }


def recall(corpus: Corpus, vectors: NDArray[np.float32]) -> dict[str, float]:
    """The share of the `_RECALLED` truly nearest rows that search finds, by space; mean over the rows of `vectors`."""
    reader = corpus.reader()
    found: dict[str, float] = {}
    for space, search in zip(SPACES, (corpus.search_chunks, corpus.search_sentences), strict=True):
        nearest: list[Any] = [[] for _ in vectors]
        for block in reader.blocks(space):
            rows = ExactRows.empty(reader.dimension).extended(
                [row.number for row in block.rows],
                [row.id for row in block.rows],
                [row.document_id for row in block.rows],
                block.vectors,
            )
            here = rows.search(vectors, top_k=_RECALLED)
            nearest = [merged(pair, top_k=_RECALLED) for pair in zip(nearest, here, strict=True)]
        shares = []
        for vector, truth in zip(vectors, nearest, strict=True):
            got = {match.id for match in search(vector, top_k=_RECALLED)}
            shares.append(len(got & {match.id for match in truth}) / max(1, len(truth)))
        found[space] = round(float(np.mean(shares)), 4)
    return found


def main(arguments: Sequence[str]) -> int:
    """Measure one corpus; see `processes.measure`. Options: data_dir, questions, reader."""
    options, found = answer_measure(arguments)
    settings = IndexSettings(data_dir=Path(options["data_dir"]), chroma_url=None, database_url=None)
    embedder = load_embedder(settings)
    questions = options["questions"]
    with Corpus.open(settings, manifest_expected=manifest_for(embedder, settings)) as corpus:
        result: dict[str, Any] = {"without_reader": ask_all(corpus, embedder, questions, reader=False)}
        result["chroma"] = corpus.vector_version is not None
        if options["reader"]:
            result["with_reader"] = ask_all(corpus, embedder, questions, reader=True)
        result["recall"] = recall(corpus, embedder.embed_queries(questions))
    found.write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
