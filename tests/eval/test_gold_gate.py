"""The shipped gold set and its gate: that a broken part of the assistant does not get through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from eval import cases, gate, harness
from eval.summary import summarise
from eval.target import InProcess
from index.corpus import Corpus
from index.indexer import manifest_for
from rag.assistant import Assistant

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.embedder import Embedder
    from rag.settings import RagSettings


class Confused:
    """The real embedder, whose questions come out as if they were others: their numbers in reverse."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of questions, wrong."""
        return np.ascontiguousarray(self._embedder.embed_queries(texts)[:, ::-1])


@pytest.fixture(scope="module")
def broken(seed_settings: RagSettings, embedder: Embedder) -> InProcess:
    """The assistant on the shipped documents with a retriever that looks for something else."""
    corpus = Corpus.open(seed_settings.index, manifest_expected=manifest_for(embedder, seed_settings.index))
    return InProcess(Assistant(corpus, Confused(embedder), seed_settings), provenance={})


def test_a_broken_retriever_does_not_pass_the_gate(broken: InProcess) -> None:
    english = [case for case in cases.read_cases(cases.GOLD) if case.language == "en"][::4]
    done = harness.gold(broken, english, title="a broken retriever")
    report = summarise(done.title, done.settings, done.records)
    held = {one.name.split()[0]: one for one in gate.gates(report, gate.read_thresholds(harness.THRESHOLDS))}
    assert held["no"].passed, "it answers or refuses everything: nothing else would tell"
    assert held["citation_exact"].passed, "its quotes are exact: only what it finds is wrong"
    for metric in ("recall@5", "evidence@1", "answer_match"):
        assert not held[metric].passed, held[metric].message
