"""How a look is taken: the question is understood, its passages are found and read, all at one moment of the corpus."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from index.corpus import Corpus
from index.errors import UsageError
from index.language.called import is_language
from index.language.detection import detect
from rag import answer, scoring
from rag.answer import Hit, Turn
from rag.asking import Ask
from rag.comparison import Side, sides_of
from rag.completion import Gathered, choose
from rag.dated import days_of
from rag.evidence import Evidence, clauses_of, gather
from rag.look import Declined, Look
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.matching.romanised import in_its_script
from rag.matching.vectors import QuestionVectors
from rag.named import Named
from rag.question import Question, analyse
from rag.reader.passages import Judging, Reads, no_judge
from rag.settings import RagSettings
from rag.shape import shape_of
from rag.tabled import tabled

# Turns of a conversation that tell what is spoken in it, and how much of each. Chosen: a conversation changes its
# language, and a turn shows its own within a few lines.
_TURNS_LOOKED_AT, _TURN_LOOKED_AT = 3, 500
# A reranker has so many times more to choose from than is looked into. Chosen.
_TO_RERANK = 3


class Reranks(Protocol):
    """What reorders hits: `rag.matching.reranker.Reranker`."""

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits in another order."""
        ...


class Looking:
    """Takes looks. Safe to share between threads.

    Args:
        vectors: makes those of questions.
        settings: how many passages are looked into, and from where on evidence answers.
        reader: reads the passages; None: similarity alone decides.
        judging: gives what answers yes or no.
        reranker: reorders them first; None: none does.
    """

    def __init__(
        self,
        vectors: QuestionVectors,
        settings: RagSettings,
        *,
        reader: Reads | None = None,
        judging: Judging = no_judge,
        reranker: Reranks | None = None,
    ) -> None:
        self._vectors = vectors
        self._settings = settings
        self._retriever = CorpusRetriever(top_k=settings.top_k)
        self._reader = reader
        self._judging = judging
        self._reranker = reranker

    def look(
        self,
        ask: Ask,
        corpus: Corpus,
        *,
        asked: Question | None = None,
        completed: str | Declined | None = None,
    ) -> Look:
        """What the corpus of one moment says to a question.

        Args:
            ask: what is asked.
            corpus: of that moment.
            asked: the question, where it is understood already.
            completed: a follow-up as an engine completed it; None, or where that failed: it is completed by rule.
        """
        asked, history = asked or understood(ask, corpus), ask.history
        if isinstance(completed, str):
            history = ()
            if completed != ask.text:
                asked = replace(analyse(completed, language=asked.language), own=ask.text)

        def gathered(question: Question, within: frozenset[str] | None, but: frozenset[str]) -> Gathered:
            evidence, retrieved = self._gathered(self._query(question, corpus), within)
            return Gathered(question, self._without(evidence, but), retrieved)

        inside = among(ask, corpus)
        chosen = choose(
            asked,
            history,
            gathered,
            Named(corpus, self._vectors.of, among=inside),
            among=inside,
            threshold=self._settings.refusal_threshold,
        )
        declined = completed if isinstance(completed, Declined) else None
        evidence = chosen.evidence
        differing = [*evidence.supports[:1], *evidence.rivals] if evidence.rivals else []
        days = days_of({support.sentence.document_id for support in differing}, corpus) if differing else {}
        of_rows = tabled(chosen.question, evidence, corpus, self._vectors.embed_queries)
        if of_rows is not None and of_rows.named:
            # No sentence says it alone, so that none seems to answer.
            evidence = replace(evidence, answered=max(evidence.answered, self._settings.refusal_threshold))
        return Look(ask, chosen.question, evidence, chosen.retrieved, declined, of_rows, days)

    def sides(self, ask: Ask, corpus: Corpus, *, asked: Question) -> tuple[Side, ...]:
        """The two sides of a question that compares two documents; () for any other."""
        if shape_of(asked) != "comparison":
            return ()
        query = Query(asked, corpus, self._vectors.of(asked.text))
        return sides_of(asked, query, Named(corpus, self._vectors.of, among=among(ask, corpus)))

    def found(self, ask: Ask, corpus: Corpus, *, top_k: int) -> list[answer.Found]:
        """The passages nearest to what is asked, best first."""
        asked = understood(ask, corpus)
        query = self._query(asked, corpus)
        hits = self._retriever.hits(query, top_k=top_k, among=among(ask, corpus))
        return [hit.found() for hit in hits]

    def _query(self, question: Question, corpus: Corpus) -> Query:
        spelt = in_its_script(question, corpus)
        return Query(spelt, corpus, self._vectors.of(spelt.text))

    def _without(self, evidence: Evidence, but: frozenset[str]) -> Evidence:
        """Evidence without some sentences, which were quoted already; as it is where the first is none of them."""
        supports = tuple(support for support in evidence.supports if support.sentence.id not in but)
        if evidence.features is None or supports[:1] == evidence.supports[:1]:
            return evidence
        if not supports:
            return Evidence(
                evidence.question, hits=evidence.hits, inside=evidence.inside, reads=evidence.reads
            )
        question, best = evidence.question, supports[0]
        features = replace(
            evidence.features,
            score=best.score,
            lead=0.0,
            passage=best.hit.score - best.hit.lexical,
            same_language=float(best.hit.chunk.language == question.language),
        )
        return replace(
            evidence,
            supports=supports,
            features=features,
            answered=scoring.answered(features, question.language, read=bool(evidence.reads)),
            clauses=clauses_of(question, best, self._reader),
            rivals=(),
        )

    def _gathered(self, query: Query, among: frozenset[str] | None) -> tuple[Evidence, float]:
        top_k = self._settings.top_k
        if self._reranker is None:
            hits = self._retriever.hits(query, among=among)
        else:
            hits = self._retriever.hits(query, top_k=top_k * _TO_RERANK, among=among)
            hits = self._reranker.rerank(query.question.text, hits)
        retrieved = time.perf_counter()
        return gather(query, hits, top_k=top_k, reader=self._reader, judging=self._judging), retrieved


def understood(ask: Ask, corpus: Corpus) -> Question:
    """A question in the language that its words, the documents, the turns before it and the page make likeliest."""
    among = corpus.languages()
    expected = [detect(text, among=among) for text in _said(ask.history)]
    if ask.interface is not None:
        expected.append(ask.interface)
    return analyse(ask.text, among=among, expected=tuple(dict.fromkeys(expected)))


def _said(history: Sequence[Turn]) -> list[str]:
    """What was asked last, the latest first."""
    asked = [turn.content[:_TURN_LOOKED_AT] for turn in history if turn.role == "user"]
    return asked[: -_TURNS_LOOKED_AT - 1 : -1]


def require_named(ask: Ask, corpus: Corpus) -> None:
    """Refuse a question that is to be looked for where nothing can be: a mistyped name is no empty place.

    Raises:
        UsageError: it names a document that is not indexed, or a language that is none.
    """
    spoken = corpus.languages()
    if not spoken:
        return  # that nothing is indexed is said otherwise
    for language in ask.languages or ():
        if language not in spoken and not is_language(language):
            raise UsageError(
                f"{language!r} is no language by ISO 639: there are documents in {', '.join(sorted(spoken))}"
            )
    unknown = sorted(set(ask.documents or ()) - corpus.document_infos(ask.documents or ()).keys())
    if unknown:
        raise UsageError(f"no document has the id {unknown[0]!r}: list the documents to see their ids")


def among(ask: Ask, corpus: Corpus) -> frozenset[str] | None:
    """The documents that may be looked into; None: all."""
    if ask.languages is None and ask.documents is None:
        return None
    return corpus.document_ids(languages=ask.languages, documents=ask.documents)
