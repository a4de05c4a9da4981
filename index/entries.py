"""A document with all that is stored for it: cut into sentences and chunks, embedded, its words listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Entry, Manifest
from index.chunks import CHUNKER_VERSION
from index.cutting import Parts, cut_chunks, cut_sentences, under_heading
from index.embedder import Embedder
from index.language.sentences import SENTENCES_VERSION
from index.language.terms import TERMS_VERSION
from index.neutral import NEUTRAL_VERSION, LanguageDirections
from index.normalise import NORMALISER_VERSION
from index.readers import READERS_VERSION
from index.reading_process import ReadingProcess
from index.settings import IndexSettings
from index.types import Document, Sentence

# Sentences whose tokens are counted in one call, which holds the interpreter's lock for about a millisecond.
_COUNTED_AT_ONCE = 512

# Characters that count as at least one token; words of people come to 2 to 6.
_MOST_OF_A_TOKEN = 10


class _Sizes(TypedDict):
    size: int
    overlap: int


def manifest_for(embedder: Embedder, settings: IndexSettings) -> Manifest:
    """What an index made with this embedder and these settings says of itself."""
    return Manifest(
        model=embedder.name,
        revision=embedder.revision,
        dimension=embedder.dimension,
        query_prompt=embedder.query_prompt,
        passage_prompt=embedder.passage_prompt,
        normaliser_version=f"{NORMALISER_VERSION}.{READERS_VERSION}",
        chunker_version=f"{CHUNKER_VERSION}.{SENTENCES_VERSION}",
        chunk_tokens=min(settings.chunk_tokens, embedder.max_tokens),
        chunk_overlap=settings.chunk_overlap,
        words_version=str(TERMS_VERSION),
        language_correction=settings.language_correction,
        neutral_version=str(NEUTRAL_VERSION),
    )


class EntryMaker:
    """Cuts and embeds documents, with one embedder, for a catalogue whose manifest is `manifest`."""

    def __init__(self, embedder: Embedder, settings: IndexSettings) -> None:
        self.manifest = manifest_for(embedder, settings)
        self._embedder = embedder
        self._settings = settings
        self._directions = LanguageDirections(
            embedder, strength=settings.language_correction, folder=settings.data_dir / "models"
        )

    def cut(self, document: Document) -> Parts:
        """The sentences, chunks and words of a document.

        Raises:
            ReadError: `empty`, there is nothing to index.
        """
        sentences = cut_sentences(document)
        tokens = self._count(sentences, lambda _: None)
        return cut_chunks(document, sentences, tokens, **self._sizes())

    def cut_apart(self, reading: ReadingProcess, counted: Callable[[int], None]) -> Parts | None:
        """The parts of the document that `reading` read last, cut by that process; None when it was stopped.

        Args:
            reading: it has read a document.
            counted: called with the number of sentences counted since its last call.

        Raises:
            ReadError: as `ReadingProcess.read`.
            WorkError: the process cannot be started.
        """
        tokens = self._count(reading.sentences, counted)
        return reading.cut(tokens, **self._sizes())

    def _sizes(self) -> _Sizes:
        return {"size": self.manifest.chunk_tokens, "overlap": self._settings.chunk_overlap}

    def _count(self, sentences: Sequence[Sentence], counted: Callable[[int], None]) -> list[int]:
        tokens: list[int] = []
        for start in range(0, len(sentences), _COUNTED_AT_ONCE):
            texts = [sentence.text for sentence in sentences[start : start + _COUNTED_AT_ONCE]]
            counts = self._embedder.count_tokens(texts)
            # Letters that a vocabulary does not know are one token however many: they must not make a chunk of a book.
            tokens += [
                max(count, len(text) // _MOST_OF_A_TOKEN) for count, text in zip(counts, texts, strict=True)
            ]
            counted(len(texts))
        return tokens

    def entries(self, group: Sequence[Parts], embedded: Callable[[int], None]) -> list[Entry]:
        """Embed documents in one go; `embedded` is called with the number of texts done since its last call."""
        texts: list[tuple[str, str]] = []
        for parts in group:
            texts += [(under_heading(parts.document, chunk), chunk.language) for chunk in parts.chunks]
            texts += [(sentence.text, sentence.language) for sentence in parts.sentences]
        vectors = self._embed(texts, embedded)
        made = []
        position = 0
        for parts in group:
            counts = len(parts.chunks), len(parts.sentences)
            cuts = np.cumsum([position, *counts])
            position = int(cuts[-1])
            made.append(
                Entry(
                    document=parts.document,
                    chunks=parts.chunks,
                    chunk_vectors=vectors[cuts[0] : cuts[1]],
                    sentences=parts.sentences,
                    sentence_vectors=vectors[cuts[1] : cuts[2]],
                    tokens=parts.tokens,
                )
            )
        return made

    def _embed(self, keys: Sequence[tuple[str, str]], embedded: Callable[[int], None]) -> NDArray[np.float32]:
        """(keys, dimension) language-neutral unit vectors of (text, language); equal ones are embedded once."""
        distinct = list(dict.fromkeys(keys))
        rows = self._embedder.embed_passages([text for text, _ in distinct], progress=embedded)
        rows = self._directions.neutralise(rows, [language for _, language in distinct])
        where = {key: row for row, key in enumerate(distinct)}
        return rows[[where[key] for key in keys]]
