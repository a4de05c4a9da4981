"""The assistant: one question in, one cited answer out. The command line, the API, the chat and the evaluation
all use this object."""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import BoundedSemaphore, Event
from typing import TYPE_CHECKING, Self

from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.errors import ModelError, PolyciteError, UsageError
from index.indexer import manifest_for
from index.language.detection import detect
from index.language.lexicon import lexicon
from index.normalise import whole
from rag import extractive, refusal
from rag.answer import Answer, EngineName, Grounding, Hit, Timings, Token, Turn, answer_of, pieces
from rag.completion import choose
from rag.coverage import Openings
from rag.evidence import Evidence, gather
from rag.extractive import Draft
from rag.lexical import wanted
from rag.llm.client import LanguageModel, LanguageModelError
from rag.question import Question, analyse
from rag.remembered import RememberingEmbedder
from rag.retriever import CorpusRetriever
from rag.settings import BUNDLED_READER, RagSettings, reader_file
from rag.verification.verify import check_citations, short_is_quoted

if TYPE_CHECKING:
    from rag.reader.openvino_reader import Reader

log = logging.getLogger(__name__)

# Turns of a conversation that tell what is spoken in it, and how much of each.
_TURNS_LOOKED_AT, _TURN_LOOKED_AT = 3, 500

MODEL_JOBS = max(2, os.cpu_count() or 2)
"""Questions that are worked on at once; further ones wait."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """An answer's text and what is to be said of it: why it refuses, which model wrote it, what went otherwise."""

    draft: Draft
    grounding: Grounding
    cause: str | None = None
    model: str | None = None
    notice: str | None = None


class Assistant:
    """Answers questions from an open corpus. Safe to share between threads."""

    def __init__(
        self,
        corpus: Corpus,
        embedder: Embedder,
        settings: RagSettings,
        *,
        reader: Callable[[], Reader | None] | None = None,
        asking: RememberingEmbedder | None = None,
    ) -> None:
        """`reader`: gives the reader that the settings name; None: it is loaded here.

        `asking`: makes the vectors of questions; None: one over `embedder` is made here.
        """
        self.corpus = corpus
        self.embedder = embedder
        self._settings = settings
        self._asking = asking or RememberingEmbedder(embedder, at_once=MODEL_JOBS)
        self._retriever = CorpusRetriever(corpus, self._asking, top_k=settings.top_k)
        self._reranker = _reranker(settings)
        self._reader = load_reader(settings) if reader is None else reader()
        self._model = LanguageModel.open(settings)
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
        with ThreadPoolExecutor(2, thread_name_prefix="opening") as pool:
            reader = pool.submit(load_reader, settings)  # seconds, like the embedder beside it
            pool.submit(analyse, "What is it?")  # the tables that tell languages
            embedder = load_embedder(settings.index)
            corpus = Corpus.open(settings.index, manifest_expected=manifest_for(embedder, settings.index))
            try:
                _warm(corpus, embedder)
                return cls(corpus, embedder, settings, reader=reader.result)
            except BaseException:
                corpus.close()
                raise

    def close(self) -> None:
        """Release the corpus and the connections to a model server; what it writes is cut off."""
        if self._model is not None:
            self._model.close()
        self._asking.close()
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
        question, history = whole(question), [replace(turn, content=whole(turn.content)) for turn in history]
        asked = self._analysed(self._checked(question), history)
        model = self._model_for(engine)
        failed = False
        if model is not None and history:
            try:
                asked, history = self._completed(model, asked, history, stop), ()
            except LanguageModelError:  # it has logged why
                failed = True
        with self._at_work:
            complete, evidence, retrieved = self._evidence(asked, history, languages, documents)
        if stop is not None and stop.is_set():
            return
        cause = refusal.reason(evidence, threshold=self._settings.refusal_threshold)
        outcome = yield from self._written(evidence, cause, model, failed=failed, stop=stop)
        if outcome is None:
            return
        finished = time.perf_counter()
        yield Answer(
            id=uuid.uuid4().hex,
            question=question,
            standalone_question=complete.text,
            language=complete.language,
            answer=outcome.draft.text,
            short_answer=outcome.draft.short,
            refused=outcome.cause is not None,
            refusal_reason=outcome.cause,
            engine="llm" if outcome.model else "extractive",
            model=outcome.model,
            grounding=outcome.grounding,
            citations=outcome.draft.citations,
            timings_ms=Timings(
                retrieve=round((retrieved - started) * 1000, 2),
                answer=round((finished - retrieved) * 1000, 2),
                total=round((finished - started) * 1000, 2),
            ),
            notice=outcome.notice,
        )

    def _analysed(self, question: str, history: Sequence[Turn]) -> Question:
        """A question in the language that its words, the documents and the turns before it make likeliest."""
        with self.corpus.snapshot():
            among = self.corpus.languages()
        said = [turn.content[:_TURN_LOOKED_AT] for turn in history if turn.role == "user"][-_TURNS_LOOKED_AT:]
        spoken = [detect(text, among=among) for text in reversed(said)]
        return analyse(question, among=among, expected=tuple(dict.fromkeys(spoken)))

    def _model_for(self, engine: EngineName | None) -> LanguageModel | None:
        """The model that is to write the answer; None for the extractive engine."""
        if engine == "llm" and self._model is None:
            raise UsageError(
                "the engine llm is not available: no model server is configured; set RAG_LLM_BASE_URL and "
                "RAG_LLM_MODEL, or use extractive"
            )
        return None if engine == "extractive" else self._model

    def _completed(
        self, model: LanguageModel, asked: Question, history: Sequence[Turn], stop: Event | None
    ) -> Question:
        """A follow-up as the model completes it."""
        from rag.llm.writing import complete_question

        text = complete_question(model, asked.text, history, stop=stop)
        return (
            asked if text == asked.text else replace(analyse(text, language=asked.language), own=asked.text)
        )

    def _written(
        self,
        evidence: Evidence,
        cause: str | None,
        model: LanguageModel | None,
        *,
        failed: bool,
        stop: Event | None,
    ) -> Generator[Token, None, _Outcome | None]:
        """Write the answer, or the refusal for a `cause`; without a result when `stop` was set.

        The model is not asked where there is nothing to answer from, nor when it has just `failed`.
        """
        rejected: str | None = "llm_failed" if failed else None
        begun = False
        if cause is None and model is not None and not failed:
            from rag.llm import engine

            try:
                for item in engine.answer(
                    model,
                    evidence,
                    rows=self.corpus.reader(),
                    embedder=self.embedder,
                    settings=self._settings,
                    at_work=self._at_work,
                    stop=stop,
                ):
                    if isinstance(item, Token):
                        begun = True
                        yield item
                    elif item.draft is not None:
                        return _Outcome(item.draft, item.grounding, model=model.name)
                    elif item.rejected is None:
                        refused = extractive.refuse(evidence, "unanswered")
                        return _Outcome(refused, "none", cause="unanswered", model=model.name)
                    else:
                        rejected = item.rejected
            except LanguageModelError:  # it has logged why
                rejected = "llm_failed"
        if stop is not None and stop.is_set():
            return None
        if cause is not None:
            outcome = _Outcome(extractive.refuse(evidence, cause), "none", cause=cause)
        else:
            outcome = self._quoted(evidence, rejected)
        for piece in () if begun else pieces(outcome.draft.text):
            yield Token(piece)
        return outcome

    def _quoted(self, evidence: Evidence, rejected: str | None) -> _Outcome:
        """The extractive answer; `rejected` names the notice that says why no model wrote it."""
        draft = extractive.answer(evidence)
        # A document that is replaced while it is read from must not be quoted as it is no longer.
        with self.corpus.snapshot():
            exact = check_citations(draft.citations, self.corpus.reader())
        exact = exact and short_is_quoted(draft.short, draft.citations)
        notice = lexicon(evidence.question.language).notices[rejected] if rejected else None
        return _Outcome(draft, "verified" if exact else "partial", notice=notice)

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
        question = self._analysed(self._checked(query), ())
        with self._at_work, self.corpus.snapshot():
            self._asking.begin(question.text)
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
        self._asking.begin(question.text)
        with self.corpus.snapshot():  # evidence of one moment, whatever is changed meanwhile
            openings = Openings(question, wanted(question), self.corpus.reader())
            hits = self._retriever.hits(
                question, top_k=wide, languages=languages, documents=documents, openings=openings
            )
            if self._reranker is not None:
                hits = self._reranker.rerank(question.text, hits)
            retrieved = time.perf_counter()
            evidence = gather(
                question,
                hits,
                self.corpus,
                self._asking,
                top_k=self._settings.top_k,
                reader=self._reader,
                openings=openings,
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

        def look(question: Question, within: Sequence[str] | None) -> tuple[Evidence, float]:
            among = documents if within is None else within
            return self.evidence(question, languages=languages, documents=among)

        return choose(asked, history, look, self.corpus, languages=languages, documents=documents)

    def _checked(self, text: str) -> str:
        text = " ".join(whole(text).replace("\x00", " ").split())
        if not any(character.isalnum() for character in text):
            raise UsageError("the question is empty: ask in words")
        if len(text) > self._settings.max_question_chars:
            raise UsageError(
                f"the question has {len(text):,} characters and RAG_MAX_QUESTION_CHARS allows "
                f"{self._settings.max_question_chars:,}: shorten it"
            )
        return text


def _warm(corpus: Corpus, embedder: Embedder) -> None:
    """Do what the first question would wait for: compile the network, open the vectors."""
    with suppress(PolyciteError):  # a question will say it
        corpus.search_chunks(embedder.embed_queries([""])[0], top_k=1)


def load_reader(settings: RagSettings) -> Reader | None:
    """The reader that the settings name; None when it is off.

    Where the bundled one cannot be had, answers are chosen by similarity alone, and the log says so.

    Raises:
        ModelError: the file that the settings name cannot be loaded.
    """
    path = reader_file(settings)
    if path is None:
        return None
    from rag.reader.openvino_reader import Reader  # openvino: only where it is used

    try:
        return Reader.load(path, threads=settings.index.embed_threads)
    except ModelError as error:
        if path != BUNDLED_READER:
            raise
        log.warning("answers are chosen by similarity alone: %s", error)
        return None


def _reranker(settings: RagSettings):  # type: ignore[no-untyped-def]
    if settings.rerank_model is None:
        return None
    from rag.reranker import Reranker  # loads sentence-transformers' cross-encoders only where one is set

    return Reranker(settings.rerank_model)
