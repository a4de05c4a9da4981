"""A document cut into sentences, chunks and words: all that foreign text goes through before it is embedded.

Each step takes time linear in the text (`python -m eval.bench.foreign_texts`). Between the two stands the count of each
sentence's tokens, which is the embedder's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.chunks import make_chunks
from index.errors import ReadError, SkipReason
from index.language.detection import detect_per_part
from index.language.sentences import lines, split_sentences
from index.language.terms import sound_keys, word_terms
from index.types import Chunk, Document, Sentence, place_at


@dataclass(frozen=True, slots=True)
class Parts:
    """A document, the spans it is cut into, and the words and sound keys of each chunk."""

    document: Document
    sentences: list[Sentence]
    chunks: list[Chunk]
    tokens: list[tuple[str, str]]


def cut_sentences(document: Document) -> list[Sentence]:
    """The sentences of a document, each with its language.

    Raises:
        ReadError: `empty`, there is nothing to index.
    """
    starts, texts = zip(*lines(document.text), strict=True) if document.text.strip() else ((), ())
    languages = dict(zip(starts, detect_per_part(texts, document.language), strict=True))
    sentences = split_sentences(document, languages=languages)
    if not sentences:
        raise ReadError(SkipReason.EMPTY, "it holds no words; there is nothing to index")
    return sentences


def cut_chunks(
    document: Document, sentences: list[Sentence], tokens: Sequence[int], *, size: int, overlap: int
) -> Parts:
    """The chunks of a document and their words; `tokens`, `size` and `overlap` as for `make_chunks`."""
    chunks = make_chunks(document, sentences, tokens, size=size, overlap=overlap)
    return Parts(document, sentences, chunks, _words(document, chunks))


def under_heading(document: Document, chunk: Chunk) -> str:
    """What is searched of a chunk: its text, under the heading that it stands under where it does not hold it."""
    place = place_at(document.places, chunk.start)
    section = place.section if place is not None else None
    return f"{section}\n{chunk.text}" if section and section not in chunk.text else chunk.text


def _words(document: Document, chunks: Sequence[Chunk]) -> list[tuple[str, str]]:
    """Words and sound keys of each chunk and its heading; the first one also holds those of the title."""
    texts = [(under_heading(document, chunk), chunk.language) for chunk in chunks]
    texts[0] = (f"{document.title}\n{texts[0][0]}", texts[0][1])
    return [(" ".join(word_terms(text)), " ".join(sound_keys(text, language))) for text, language in texts]
