"""A question on its way into the corpus: what retrieval, the names and the evidence share of it."""

from __future__ import annotations

from concurrent.futures import Future
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.catalogue import CatalogueReader
from index.corpus import Corpus
from index.embedder import Embedder
from rag.matching.coverage import Openings
from rag.matching.lexical import Wanted, wanted
from rag.matching.matcher import Matcher
from rag.question import Question


class Query:
    """One question and one moment of the corpus; each part is made once. For one thread.

    Attributes:
        question: analysed.
        corpus: of one moment (`Corpus.snapshot`) where others write to it.
        rows: the catalogue's reads of that.
        openings: what the first sentences of documents hold of the question.
    """

    def __init__(self, question: Question, corpus: Corpus, vector: Future[NDArray[np.float32]]) -> None:
        """`vector`: of the question's text, (dimension,); it is waited for where it is needed."""
        self.question = question
        self.corpus = corpus
        self.rows: CatalogueReader = corpus.reader()
        self.openings = Openings(question, wanted(question), self.rows)
        self._vector = vector

    @classmethod
    def of(
        cls,
        question: Question,
        corpus: Corpus,
        embedder: Embedder,
        *,
        vector: NDArray[np.float32] | None = None,
    ) -> Self:
        """A query for a study, with its vector made at once; `vector`: where it is at hand."""
        made: Future[NDArray[np.float32]] = Future()
        made.set_result(embedder.embed_queries([question.text])[0] if vector is None else vector)
        return cls(question, corpus, made)

    @property
    def asked(self) -> Wanted:
        """The question's words, and the terms that are looked for."""
        return self.openings.asked

    @property
    def matcher(self) -> Matcher:
        """Finds these terms in texts."""
        return self.openings.matcher

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """(dimension,), of unit length."""
        return self._vector.result()
