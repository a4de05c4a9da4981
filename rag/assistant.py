"""The assistant: one question in, one cited answer out. The command line, the API, the chat and the evaluation
all use this object."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import BoundedSemaphore, Event
from typing import TYPE_CHECKING, Self

from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.errors import UsageError
from index.indexer import manifest_for
from rag import extractive, refusal
from rag.answer import Answer, EngineName, Hit, Timings, Token, Turn, answer_of, pieces
from rag.conversation import standalone
from rag.evidence import Evidence, gather
from rag.question import Question, analyse
from rag.retriever import CorpusRetriever
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.reader.openvino_reader import Reader

MODEL_JOBS = max(2, os.cpu_count() or 2)
"""Questions that are worked on at once; further ones wait."""


class Assistant:
    """Answers questions from an open corpus. Safe to share between threads."""

    def __init__(self, corpus: Corpus, embedder: Embedder, settings: RagSettings) -> None:
        self.corpus = corpus
        self.embedder = embedder
        self._settings = settings
        self._retriever = CorpusRetriever(corpus, embedder, top_k=settings.top_k)
        self._reranker = _reranker(settings)
        self._reader = load_reader(settings)
        # A question's work uses all cores already: more at once than this only make each other wait.
        self._at_work = BoundedSemaphore(MODEL_JOBS)

    @classmethod
    def open(cls, settings: RagSettings) -> Self:
        """Load the model and open the index of the data directory.

        Raises:
            IndexMissing: nothing is indexed.
            IndexMismatch: the index was made with another model or chunker.
            ModelError: a model that the settings name cannot be loaded.
        """
        embedder = load_embedder(settings.index)
        corpus = Corpus.open(settings.index, manifest_expected=manifest_for(embedder, settings.index))
        return cls(corpus, embedder, settings)

    def close(self) -> None:
        """Release the corpus."""
        self.corpus.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        engine: EngineName | None = None,
    ) -> Answer:
        """Answer a question from the documents, or refuse.

        Args:
            question: in any language.
            history: earlier turns, oldest first; a follow-up is completed from them.
            languages: look only into documents in these languages (ISO 639-1); None: all.
            documents: look only into these documents; None: all.
            engine: "extractive", or "llm" where a model server is configured; None: the default.

        Raises:
            UsageError: the question is empty or too long, or the engine is not available.
        """
        return answer_of(
            self.stream(question, history=history, languages=languages, documents=documents, engine=engine)
        )

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        engine: EngineName | None = None,
        stop: Event | None = None,
    ) -> Iterator[Token | Answer]:
        """As `ask`, piece by piece: the text while it is written, and last the whole answer, which counts.

        Setting `stop`, or closing the iterator, ends the work; a stream that was stopped has no answer.
        """
        started = time.perf_counter()
        text = self._checked(question)
        if engine == "llm":
            raise UsageError("the engine llm is not available: no model server is configured; use extractive")
        asked = analyse(text)
        with self._at_work:
            complete, evidence, retrieved = self._evidence(asked, history, languages, documents)
        if stop is not None and stop.is_set():
            return
        cause = refusal.reason(evidence, threshold=self._settings.refusal_threshold)
        draft = extractive.refuse(evidence, cause) if cause else extractive.answer(evidence)
        for piece in pieces(draft.text):
            yield Token(piece)
        finished = time.perf_counter()
        yield Answer(
            id=uuid.uuid4().hex,
            question=question,
            standalone_question=complete.text,
            language=asked.language,
            answer=draft.text,
            short_answer=draft.short,
            refused=cause is not None,
            refusal_reason=cause,
            engine="extractive",
            model=None,
            # Every citation is a slice of its document, so an extractive answer is verified by construction.
            grounding="none" if cause else "verified",
            citations=draft.citations,
            timings_ms=Timings(
                retrieve=round((retrieved - started) * 1000, 2),
                answer=round((finished - retrieved) * 1000, 2),
                total=round((finished - started) * 1000, 2),
            ),
        )

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
    ) -> list[Hit]:
        """The passages nearest to a query, best first.

        Raises:
            UsageError: the query is empty or too long, or `top_k` is below 1.
        """
        if top_k < 1:
            raise UsageError(f"top_k must be at least 1, not {top_k}")
        question = analyse(self._checked(query))
        with self._at_work:
            return self._retriever.hits(question, top_k=top_k, languages=languages, documents=documents)

    def evidence(
        self,
        question: Question,
        *,
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
    ) -> tuple[Evidence, float]:
        """What the answer to an analysed question rests on, and when retrieval was done (perf_counter seconds)."""
        # A reranker has more to choose from than is looked into.
        wide = self._settings.top_k * (1 if self._reranker is None else 3)
        hits = self._retriever.hits(question, top_k=wide, languages=languages, documents=documents)
        if self._reranker is not None:
            hits = self._reranker.rerank(question.text, hits)
        retrieved = time.perf_counter()
        evidence = gather(
            question, hits, self.corpus, self.embedder, top_k=self._settings.top_k, reader=self._reader
        )
        return evidence, retrieved

    def _evidence(
        self,
        asked: Question,
        history: Sequence[Turn],
        languages: Sequence[str] | None,
        documents: Sequence[str] | None,
    ) -> tuple[Question, Evidence, float]:
        """The evidence for the question as asked or, when it fits better, as completed from the history."""
        evidence, retrieved = self.evidence(asked, languages=languages, documents=documents)
        complete = standalone(asked, history)
        if complete is None:
            return asked, evidence, retrieved
        other, retrieved = self.evidence(complete, languages=languages, documents=documents)
        if _likely(other) >= _likely(evidence):
            return complete, other, retrieved
        return asked, evidence, retrieved

    def _checked(self, text: str) -> str:
        text = " ".join(text.replace("\x00", " ").split())
        if not any(character.isalnum() for character in text):
            raise UsageError("the question is empty: ask in words")
        if len(text) > self._settings.max_question_chars:
            raise UsageError(
                f"the question has {len(text):,} characters and RAG_MAX_QUESTION_CHARS allows "
                f"{self._settings.max_question_chars:,}: shorten it"
            )
        return text


def _likely(evidence: Evidence) -> float:
    if evidence.features is None:
        return 0.0
    return refusal.probability(evidence.features, read=evidence.was_read)


def load_reader(settings: RagSettings) -> Reader | None:
    """The reader that the settings name; None when it is off.

    Raises:
        ModelError: its file cannot be loaded.
    """
    if settings.reader_model == "off":
        return None
    from rag.reader.openvino_reader import Reader  # openvino: only where it is used

    return Reader.load(Path(settings.reader_model), threads=settings.index.embed_threads)


def _reranker(settings: RagSettings):  # type: ignore[no-untyped-def]
    if settings.rerank_model is None:
        return None
    from rag.reranker import Reranker  # loads sentence-transformers' cross-encoders only where one is set

    return Reranker(settings.rerank_model)
