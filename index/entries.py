"""A document with all that is stored for it: cut into sentences and chunks, embedded, its words listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Entry, Manifest
from index.chunks import CHUNKER_VERSION, make_chunks
from index.embedder import Embedder
from index.errors import ReadError, SkipReason
from index.language.detection import detect_per_part
from index.language.sentences import SENTENCES_VERSION, lines, split_sentences
from index.language.terms import TERMS_VERSION, sound_keys, word_terms
from index.neutral import NEUTRAL_VERSION, LanguageDirections
from index.normalise import NORMALISER_VERSION
from index.settings import IndexSettings
from index.types import Chunk, Document, Sentence


def manifest_for(embedder: Embedder, settings: IndexSettings) -> Manifest:
    """What an index made with this embedder and these settings says of itself."""
    return Manifest(
        model=embedder.name,
        revision=embedder.revision,
        dimension=embedder.dimension,
        query_prompt=embedder.query_prompt,
        passage_prompt=embedder.passage_prompt,
        normaliser_version=str(NORMALISER_VERSION),
        chunker_version=f"{CHUNKER_VERSION}.{SENTENCES_VERSION}",
        chunk_tokens=min(settings.chunk_tokens, embedder.max_tokens),
        chunk_overlap=settings.chunk_overlap,
        words_version=str(TERMS_VERSION),
        language_correction=settings.language_correction,
        neutral_version=str(NEUTRAL_VERSION),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """A document, the spans it is cut into, and the words and sound keys of each chunk."""

    document: Document
    sentences: list[Sentence]
    chunks: list[Chunk]
    tokens: list[tuple[str, str]]


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
        starts, texts = zip(*lines(document.text), strict=True) if document.text.strip() else ((), ())
        languages = dict(zip(starts, detect_per_part(texts, document.language), strict=True))
        sentences = split_sentences(document, languages=languages)
        chunks = make_chunks(
            document,
            sentences,
            self._embedder.count_tokens([sentence.text for sentence in sentences]),
            size=self.manifest.chunk_tokens,
            overlap=self._settings.chunk_overlap,
        )
        if not chunks:
            raise ReadError(SkipReason.EMPTY, "it holds no words; there is nothing to index")
        return Parts(document, sentences, chunks, _tokens(document, chunks))

    def entries(self, group: Sequence[Parts], embedded: Callable[[int], None]) -> list[Entry]:
        """Embed documents in one go; `embedded` is called with the number of texts done since its last call."""
        spans: list[Chunk | Sentence] = []
        for parts in group:
            spans += [*parts.chunks, *parts.sentences]
        vectors = self._embed(spans, embedded)
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

    def _embed(
        self, spans: Sequence[Chunk | Sentence], embedded: Callable[[int], None]
    ) -> NDArray[np.float32]:
        """(spans, dimension) language-neutral unit vectors; a text that occurs twice is embedded once."""
        keys = [(span.text, span.language) for span in spans]
        distinct = list(dict.fromkeys(keys))
        rows = self._embedder.embed_passages([text for text, _ in distinct], progress=embedded)
        rows = self._directions.neutralise(rows, [language for _, language in distinct])
        where = {key: row for row, key in enumerate(distinct)}
        return rows[[where[key] for key in keys]]


def _tokens(document: Document, chunks: Sequence[Chunk]) -> list[tuple[str, str]]:
    """Words and sound keys of each chunk; the first one also holds those of the title."""
    texts = [(chunk.text, chunk.language) for chunk in chunks]
    texts[0] = (f"{document.title}\n{texts[0][0]}", texts[0][1])
    return [(" ".join(word_terms(text)), " ".join(sound_keys(text, language))) for text, language in texts]
