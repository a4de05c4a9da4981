"""What the answering side reads: one facade over the catalogue and the vectors of a data directory."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Self

from index.catalogue import Catalogue
from index.errors import IndexMismatch, IndexMissing
from index.types import Match, Place
from index.vectors.home import Home
from index.vectors.live import LiveVectors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from index.catalogue import CatalogueReader, DocumentInfo, Generation, Manifest, Space
    from index.catalogue.catalogue import State
    from index.settings import IndexSettings
    from index.types import Chunk, Document, Sentence

MAX_POSTINGS = 2_000
"""Entries of the full text that a question's terms may have together: what they cost, whatever the size of the corpus.

At 10,000 chunks 200 to 3,000 found a little more than more did (docs/benchmarks.md).
"""

MAX_TERMS = 128
"""Terms of a question that are looked up, the rarest first."""

_FREQUENCIES_KEPT = 50_000  # tokens, a few megabytes

# What to set back when the user would rather keep the index than rebuild it.
_SETTINGS = {
    "model": "RAG_EMBED_MODEL",
    "chunk_tokens": "RAG_CHUNK_TOKENS",
    "chunk_overlap": "RAG_CHUNK_OVERLAP",
}


@dataclass(slots=True)
class _Counted:
    """What is computed once for each state of the catalogue."""

    counts: tuple[State, dict[str, int]] | None = None
    languages: tuple[State, frozenset[str]] | None = None
    frequencies: tuple[State, dict[tuple[str, str], int]] | None = None


class Corpus:
    """The indexed documents, open for reading. Safe to share between threads.

    Every call sees what is committed when it starts; those of a `snapshot`, what was committed when that started. Ids
    that were found a moment ago may be gone: methods that take ids leave out the ones that are not there.

    Raises, from every method: IndexMismatch when another embedder's index came into service meanwhile,
    IndexMissing when there is none any more, IndexDamaged when the catalogue cannot be read, IndexUnreachable when a
    server that holds it does not answer: the next call asks it again.
    """

    def __init__(self, catalogue: Catalogue, vectors: LiveVectors, *, expected: Manifest | None) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._expected = expected
        self._lock = threading.Lock()
        self._live: tuple[Generation, CatalogueReader] | None = None
        self._counted = _Counted()
        # Of a snapshot: what was live when it began.
        self._moment: tuple[Generation, CatalogueReader, State] | None = None

    @classmethod
    def open(cls, settings: IndexSettings, *, manifest_expected: Manifest | None) -> Self:
        """Open the index of `settings.data_dir`.

        Args:
            settings: where the index lies and whether a Chroma server holds its vectors.
            manifest_expected: what the configured embedder and chunker would make; None accepts any.

        Raises:
            IndexMissing: nothing is indexed there.
            IndexMismatch: it was made by another embedder, normaliser or chunker.
            IndexDamaged: the catalogue is not readable.
        """
        catalogue = Catalogue.configured(settings)
        vectors = LiveVectors(Home(settings.data_dir, settings.chroma_url, catalogue))
        corpus = cls(catalogue, vectors, expected=manifest_expected)
        try:
            corpus.reader()
        except BaseException:
            corpus.close()
            raise
        return corpus

    def close(self) -> None:
        """Release files and connections; searches that run finish first."""
        self._vectors.close()
        self._catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[Corpus]:
        """The corpus of one moment, to be read in this block and by this thread; that of a snapshot is itself.

        It is one transaction, which holds a connection and keeps what is deleted meanwhile on the disk: not for long.
        """
        if self._moment is not None:
            yield self
            return
        with self._catalogue.snapshot():
            moment = copy(self)
            moment._moment = self._moved()
            yield moment

    # -- what is there

    @property
    def manifest(self) -> Manifest:
        """What the index was made with."""
        return self._current()[0].manifest

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the sorted document ids: equal corpora have equal fingerprints."""
        return self._catalogue.corpus_fingerprint(self._current()[0])

    @property
    def vector_version(self) -> str | None:
        """The Chroma version that the last search used, None when it was exact."""
        return self._vectors.version()

    def revision(self) -> int:
        """Return a number that grows with every change: what was computed under an older one may be stale."""
        return self._catalogue.state().revision

    def counts(self) -> dict[str, int]:
        """Return how many "documents", "chunks" and "sentences" there are."""
        _, reader, state = self._moved()
        counts = self._counted.counts
        if counts is None or counts[0] != state:  # counting reads an entry of every document
            counts = self._counted.counts = (state, reader.counts())
        return dict(counts[1])

    def languages(self) -> frozenset[str]:
        """Return the languages that documents are in."""
        _, reader, state = self._moved()
        spoken = self._counted.languages
        if spoken is None or spoken[0] != state:
            spoken = self._counted.languages = (state, reader.languages())
        return spoken[1]

    def check(self) -> dict[str, int]:
        """Return `counts` when questions can be answered now: what holds the index, servers too, was just asked."""
        self._vectors.check()
        return self.counts()

    def reader(self) -> CatalogueReader:
        """Return the catalogue's reads of the live generation, for what this facade does not offer."""
        return self._current()[1]

    # -- documents

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text, None when it is not there."""
        return self.reader().document(document_id)

    def places(self, document_id: str) -> tuple[Place, ...]:
        """Where the text of a document stands in its file, in order."""
        return self.reader().places(document_id)

    def documents(self, *, limit: int | None = None, offset: int = 0) -> list[DocumentInfo]:
        """Return documents without their texts, by folder and path. `limit` None: all."""
        return self.reader().documents(limit=limit, offset=offset)

    def document_infos(self, ids: Collection[str]) -> dict[str, DocumentInfo]:
        """Return the documents of `ids` without their texts, by id."""
        return self.reader().infos(ids)

    def document_ids(
        self, *, languages: Collection[str] | None = None, documents: Collection[str] | None = None
    ) -> frozenset[str]:
        """Return the ids of the documents in any of `languages` and among `documents`; None: no condition."""
        return self.reader().document_ids(languages=languages, among=documents)

    def parallel(self, document_id: str) -> list[tuple[str, str]]:
        """Return (document id, language) of the parallel documents, by language."""
        return self.reader().parallel(document_id)

    # -- passages

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of `ids` that are there, in the order given."""
        return self.reader().chunks(ids)

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Return a document's chunks in reading order."""
        return self.reader().chunks_of(document_id)

    def sentences(self, ids: Sequence[str]) -> list[Sentence]:
        """Return the sentences of `ids` that are there, in the order given."""
        return self.reader().sentences(ids)

    def sentences_of(self, document_id: str, first: int = 0, last: int | None = None) -> list[Sentence]:
        """Return a document's sentences `first`..`last` by ordinal, both included; None: to the end."""
        return self.reader().sentences_of(document_id, first, last)

    def sentence_vectors(
        self, document_id: str, first: int = 0, last: int | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors of `sentences_of` with the same arguments: (n, dimension), unit rows."""
        return self.reader().sentence_vectors(document_id, first, last)

    def chunk_vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors (dimension,) of the chunks of `ids` that are there, by id."""
        return self.reader().chunk_vectors(ids)

    def chunks_holding(self, sentence_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the ids of the chunks that hold each of the sentences that are there, by sentence id."""
        return self.reader().chunks_holding(sentence_ids)

    # -- search

    def search_chunks(
        self, vector: NDArray[np.float32], *, top_k: int, documents: frozenset[str] | None = None
    ) -> list[Match]:
        """Return the chunks nearest to `vector` (dimension,), a unit vector: cosine, best first.

        `documents`: only these; None: all. With a Chroma version in service the search is approximate
        (recall figures in its module), except for newer rows and small filters.

        Raises:
            UsageError: the vector has another dimension, or `top_k` is below 1.
        """
        return self._search("chunks", vector, top_k=top_k, documents=documents)

    def search_sentences(
        self, vector: NDArray[np.float32], *, top_k: int, documents: frozenset[str] | None = None
    ) -> list[Match]:
        """Return the sentences nearest to `vector`; otherwise as `search_chunks`."""
        return self._search("sentences", vector, top_k=top_k, documents=documents)

    def search_text(
        self,
        *,
        words: Sequence[str],
        keys: Sequence[str] = (),
        top_k: int,
        documents: frozenset[str] | None = None,
        max_postings: int = MAX_POSTINGS,
        key_weight: float = 0.5,
        frequencies: Mapping[tuple[str, str], int] | None = None,
    ) -> list[Match]:
        """Return the chunks that hold any of the tokens: BM25 (k1 1.2, b 0.75), best first.

        Args:
            words, keys: tokens as they were given when the chunks were stored; any text is safe.
            top_k: at most so many.
            documents: only these; None: all.
            max_postings: the rarest tokens are looked up, as long as they stand in so many chunks together, a chunk
                counted for each; the rarest of all always is.
            key_weight: what a key counts for beside a word.
            frequencies: in how many chunks each stands, by ("words" or "keys", token), when that is at hand.
        """
        if frequencies is None:
            frequencies = self.frequencies(words=words, keys=keys)
        chosen = _informative(frequencies, max_postings=max_postings)
        found = self.reader().search_text(
            words=[term for column, term in chosen if column == "words"],
            keys=[term for column, term in chosen if column == "keys"],
            key_weight=key_weight,
            top_k=top_k,
            among=documents,
        )
        return [Match(chunk, score) for chunk, score in found]

    def frequencies(self, *, words: Sequence[str], keys: Sequence[str] = ()) -> dict[tuple[str, str], int]:
        """Return in how many chunks each token occurs, by ("words" or "keys", token).

        Counting a common word reads an entry of every chunk that holds it: what was counted is kept until the corpus
        changes.
        """
        _, reader, state = self._moved()
        kept = self._counted.frequencies
        if kept is None or kept[0] != state or len(kept[1]) > _FREQUENCIES_KEPT:
            kept = self._counted.frequencies = (state, {})
        known = kept[1]
        asked = [*(("words", word) for word in words), *(("keys", key) for key in keys)]
        missing = [pair for pair in asked if pair not in known]
        if missing:
            known.update(reader.frequencies(missing))
        return {pair: known[pair] for pair in asked}

    # -- parts

    def _search(
        self, space: Space, vector: NDArray[np.float32], *, top_k: int, documents: frozenset[str] | None
    ) -> list[Match]:
        _, reader, state = self._moved()
        return self._vectors.search(reader, state, space, vector, top_k=top_k, among=documents)

    def _current(self) -> tuple[Generation, CatalogueReader]:
        generation, reader, _ = self._moved()
        return generation, reader

    def _moved(self) -> tuple[Generation, CatalogueReader, State]:
        """Return the live generation; when another one went live, check that it fits what is configured."""
        if self._moment is not None:
            return self._moment
        state = self._catalogue.state()
        with self._lock:
            if self._live is None or self._live[0].id != state.generation:
                self._live = self._opened()
            return (*self._live, state)

    def _opened(self) -> tuple[Generation, CatalogueReader]:
        generation = self._catalogue.live()
        if generation is None:
            raise IndexMissing(f"nothing is indexed in {self._catalogue.where}: run `rag index`")
        if self._expected is not None and generation.manifest != self._expected:
            raise IndexMismatch(mismatch(generation.manifest, self._expected))
        return generation, self._catalogue.reader(generation)


def mismatch(stored: Manifest, configured: Manifest) -> str:
    """Return one line: how the index differs from the configuration, and what to do about it."""
    differences = stored.differences(configured)
    seen = ", ".join(f"{name} {here!r}, not {there!r}" for name, (here, there) in differences.items())
    back = [
        f"set {_SETTINGS[name]} back to {here}"
        for name, (here, _) in differences.items()
        if name in _SETTINGS
    ]
    remedy = " or ".join(["run `rag index` to rebuild it", *([" and ".join(back)] if back else [])])
    return f"the index does not fit the configuration (it has {seen}): {remedy}"


def _informative(frequencies: Mapping[tuple[str, str], int], *, max_postings: int) -> list[tuple[str, str]]:
    """Return the terms that occur, rarest first, as many as have `max_postings` entries together, at least one."""
    present = sorted((term for term, n in frequencies.items() if n > 0), key=lambda term: frequencies[term])
    postings = accumulate(frequencies[term] for term in present)
    kept = [term for term, upto in zip(present, postings, strict=True) if upto <= max_postings]
    return (kept or present[:1])[:MAX_TERMS]
