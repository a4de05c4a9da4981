"""Retrieval: dense over chunks and over sentences, and a lexical leg, fused by one rule.

The rule: a chunk's score is the mean of its own cosine and the best cosine of one of its sentences, plus
`WORD_BONUS` for each rare word, name or number of the question that it holds (`rag.matching.lexical`). Ordinary words
order the passages of the question's own language among themselves and never lift them above those of others. Passages
of a document that holds the question's names and numbers gain once more (`rag.matching.coverage`), and those that state
its codes and dates, or others in their place, gain or lose (`rag.matching.marks`). All legs bring
candidates; the score is then computed exactly for the best of them from the stored vectors. The ablation of each leg
is in docs/benchmarks.md.

Parallel documents count as one: a result shows one language version, the question's language if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from index.catalogue import CatalogueReader
from index.catalogue.passages import StoredChunk
from index.corpus import Corpus
from rag.answer import Hit, Parallel
from rag.matching.coverage import about_the_names
from rag.matching.lexical import Wanted, overlap, rarity_from
from rag.matching.marks import about_the_marks
from rag.matching.matcher import Matcher
from rag.matching.query import Query

# Worth of the rarest possible shared word, on the scale of a cosine. Measured: best of 0.005 to 0.02 a unit of
# idf on public parallel data, same-language and cross-language taken together (docs/benchmarks.md).
WORD_BONUS = 0.018
# Candidates each leg brings, and how many are scored exactly. Chosen for time, not fitted.
_CANDIDATES = 60
_SENTENCE_CANDIDATES = 120
_SCORED = 40
# Of the passages with the question's words, so many are looked at while its vector is still made; the later ones may
# not come among the candidates. Chosen, not measured.
_AHEAD = 15
# The documents of so many of the best passages are looked at for the question's names. Chosen for time.
_NAMED = 15


class CorpusRetriever:
    """Finds the best passages for a query. `rag.matching.llama_index_retriever` offers the same to llama-index.

    Args:
        top_k: number of results.
        chunks, sentences, lexical: switch a leg off, for measuring what it is worth.
    """

    def __init__(
        self, *, top_k: int = 10, chunks: bool = True, sentences: bool = True, lexical: bool = True
    ) -> None:
        self._top_k = top_k
        self._legs = (chunks, sentences, lexical)

    def hits(
        self, query: Query, *, top_k: int | None = None, among: frozenset[str] | None = None
    ) -> list[Hit]:
        """The best chunks for a question, best first.

        Args:
            query: the question, and what is searched.
            top_k: number of results; None: the retriever's own.
            among: only the documents with these ids; None: all.
        """
        if among is not None and not among:
            return []
        looked = self._looked(query)
        by_text = self._by_text(query, looked, among)
        looked.load(by_text[:_AHEAD])
        ids = self._candidates(query, among, by_text)
        looked.load(ids)
        hits = self._score(looked, ids, query.vector)
        if self._legs[2]:
            hits = about_the_marks(query.question, hits)
        wanted_hits = top_k or self._top_k
        kept = self._one_version_each(hits, query.question.language)[: max(wanted_hits, _NAMED)]
        if self._legs[2]:
            kept = about_the_names(query.question, kept, query.openings, top_k=wanted_hits)
        return with_places(_with_parallels(kept[:wanted_hits], query.rows), query.rows)

    def _looked(self, query: Query) -> _Passages:
        _, by_sentence, by_text = self._legs
        frequencies = _frequencies(query.asked, query.corpus) if by_text else None
        chunks = query.corpus.counts()["chunks"] if by_text else 0
        return _Passages(query.rows, query.matcher, frequencies, chunks=chunks, by_sentence=by_sentence)

    @staticmethod
    def _by_text(query: Query, looked: _Passages, among: frozenset[str] | None) -> list[str]:
        """The ids of the chunks that the lexical leg brings, best first."""
        frequencies = looked.frequencies
        if frequencies is None:
            return []
        matches = query.corpus.search_text(
            words=[term for column, term in frequencies if column == "words"],
            keys=[term for column, term in frequencies if column == "keys"],
            top_k=_CANDIDATES // 2,
            documents=among,
            frequencies=frequencies,
        )
        return [match.id for match in matches]

    def _candidates(self, query: Query, among: frozenset[str] | None, by_text: Sequence[str]) -> list[str]:
        """The ids of chunks that any leg brings, the most promising first, at most `_SCORED`."""
        by_chunk, by_sentence, _ = self._legs
        best: dict[str, float] = {}
        if by_chunk:
            found = query.corpus.search_chunks(query.vector, top_k=_CANDIDATES, documents=among)
            best.update((match.id, match.score) for match in found)
        if by_sentence:
            matches = query.corpus.search_sentences(query.vector, top_k=_SENTENCE_CANDIDATES, documents=among)
            # Where so many chunks are nearer, its own chunk is not looked for: it could not be among the best.
            least = sorted(best.values(), reverse=True)[_SCORED - 1 : _SCORED]
            matches = [match for match in matches if not least or match.score >= least[0]]
            holders = query.rows.chunks_holding([match.id for match in matches])
            for match in matches:
                for chunk_id in holders.get(match.id, ()):
                    best[chunk_id] = max(best.get(chunk_id, -1.0), match.score)
        # A lexical find has no cosine yet; rank decides its place beside the dense ones.
        top = max(best.values(), default=1.0)
        for rank, chunk_id in enumerate(by_text):
            best[chunk_id] = max(best.get(chunk_id, -1.0), top - 0.005 * rank)
        return sorted(best, key=lambda chunk_id: -best[chunk_id])[:_SCORED]

    def _score(self, looked: _Passages, ids: Sequence[str], vector: NDArray[np.float32]) -> list[Hit]:
        by_chunk = self._legs[0]
        language = looked.asked.language
        hits = []
        most_words = 0.0
        for passage in looked.among(ids):
            chunk = passage.chunk
            dense = float(passage.vector @ vector)
            rows = looked.sentence_vectors.get(chunk.id)
            sentence = dense if rows is None else float((rows @ vector).max())
            names, words = looked.overlaps.get(chunk.id, (0.0, 0.0))
            if chunk.language == language:
                most_words = max(most_words, words)
            cosine = (dense + sentence) / 2 if by_chunk else sentence
            hits.append(
                Hit(
                    chunk=chunk,
                    title=passage.title,
                    source_url=passage.source_url,
                    document_language=passage.document_language,
                    score=cosine + WORD_BONUS * (names + words),
                    dense=dense,
                    sentence=sentence,
                    lexical=WORD_BONUS * (names + words),
                    path=passage.path,
                )
            )
        level = WORD_BONUS * most_words
        return sorted((_levelled(hit, language, level) for hit in hits), key=lambda hit: -hit.score)

    @staticmethod
    def _one_version_each(hits: Sequence[Hit], language: str) -> list[Hit]:
        """Keep one language version of parallel documents: the question's own, else the best one."""
        chosen: dict[str, str] = {}
        for hit in hits:
            if hit.source_url is None:
                continue
            here = chosen.get(hit.source_url)
            if here is None or (hit.document_language == language and not _is_in(hits, here, language)):
                chosen[hit.source_url] = hit.chunk.document_id
        return [
            hit for hit in hits if hit.source_url is None or chosen[hit.source_url] == hit.chunk.document_id
        ]


class _Passages:
    """Passages as they are read, with what they hold of one question.

    Attributes:
        asked: the question's terms.
        frequencies: in how many chunks each of them stands; None: words do not count.
        sentence_vectors: by chunk id, (sentences, dimension).
        overlaps: by chunk id, the worth of the names and of the words that it shares with the question.
    """

    def __init__(
        self,
        reader: CatalogueReader,
        matcher: Matcher,
        frequencies: Mapping[tuple[str, str], int] | None,
        *,
        chunks: int,
        by_sentence: bool,
    ) -> None:
        self.asked = matcher.asked
        self.frequencies = frequencies
        self.sentence_vectors: dict[str, NDArray[np.float32]] = {}
        self.overlaps: dict[str, tuple[float, float]] = {}
        self._reader = reader
        self._matcher = matcher
        self._rarity = None if frequencies is None else rarity_from(frequencies, chunks)
        self._by_sentence = by_sentence
        self._read: dict[str, StoredChunk | None] = {}

    def load(self, ids: Sequence[str]) -> None:
        """Read the passages that were not read before."""
        ids = [key for key in ids if key not in self._read]
        if not ids:
            return
        self._read.update(dict.fromkeys(ids))  # those that were deleted since the search are not there
        passages = self._reader.passages(ids)
        if self._by_sentence:
            self.sentence_vectors.update(self._reader.sentence_vectors_in(ids))
        for passage in passages:
            chunk = passage.chunk
            self._read[chunk.id] = passage
            if self._rarity is not None:
                found = self._matcher.matched(chunk.text, chunk.language)
                self.overlaps[chunk.id] = overlap(self.asked, found, chunk.language, self._rarity)

    def among(self, ids: Sequence[str]) -> list[StoredChunk]:
        """Those of the passages read that are there, in the order of `ids`."""
        return [passage for key in ids if (passage := self._read.get(key)) is not None]


def _with_parallels(hits: Sequence[Hit], reader: CatalogueReader) -> list[Hit]:
    """Hits with the other language versions of their documents."""
    versions = reader.parallels({hit.chunk.document_id for hit in hits if hit.source_url is not None})
    return [
        replace(hit, parallel=tuple(Parallel(*version) for version in versions[hit.chunk.document_id]))
        if hit.chunk.document_id in versions
        else hit
        for hit in hits
    ]


def with_places(hits: Sequence[Hit], reader: CatalogueReader) -> list[Hit]:
    """Hits with where their passages stand in their files."""
    found = reader.places_in({hit.chunk.id for hit in hits})
    return [replace(hit, places=found.get(hit.chunk.id, ())) for hit in hits]


def _levelled(hit: Hit, language: str, level: float) -> Hit:
    """A hit in the question's language without the lead that ordinary words give its language as a whole."""
    if hit.chunk.language != language:
        return hit
    return replace(hit, score=hit.score - level, lexical=hit.lexical - level)


def _frequencies(asked: Wanted, corpus: Corpus) -> dict[tuple[str, str], int]:
    """In how many chunks each word and key of the question stands."""
    return corpus.frequencies(
        words=sorted({form for term in asked.terms for form in term.forms}),
        keys=sorted({way.key for term in asked.terms for way in term.sounds}),
    )


def _is_in(hits: Sequence[Hit], document_id: str, language: str) -> bool:
    return any(hit.chunk.document_id == document_id and hit.document_language == language for hit in hits)
