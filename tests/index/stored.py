"""Entries for the storage tests: whole documents with made-up vectors, so that no model is needed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from index.catalogue import Catalogue, Entry, FileRecord, Generation, Manifest
from index.types import Chunk, Document, Sentence, Span, span_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

DIMENSION = 16
MANIFEST = Manifest(
    model="made-up",
    revision="1",
    dimension=DIMENSION,
    query_prompt="query: ",
    passage_prompt="passage: ",
    normaliser_version="1",
    chunker_version="1",
    chunk_tokens=192,
    chunk_overlap=0,
)
FOLDER = "docs"


def unit(rows: int, *, seed: int | str, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Unit rows (rows, dimension), the same for the same seed in every process."""
    number = int.from_bytes(hashlib.sha256(str(seed).encode()).digest()[:8], "big")
    vectors = np.random.default_rng(number).standard_normal((rows, dimension)).astype(np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def document_id(texts: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(texts).encode()).hexdigest()[:16]


def entry(
    path: str,
    texts: Sequence[str],
    *,
    language: str = "en",
    source_url: str | None = None,
    per_chunk: int = 2,
    dimension: int = DIMENSION,
) -> Entry:
    """A document of the given sentences, with `per_chunk` of them in a chunk; its tokens are its words."""
    text, key = " ".join(texts), document_id(texts)
    sentences, at = [], 0
    for i, piece in enumerate(texts):
        end = at + len(piece)
        sentences.append(Sentence(span_id(key, at, end), key, i, at, end, piece, language, "body"))
        at = end + 1
    chunks = []
    for i, first in enumerate(range(0, len(sentences), per_chunk)):
        last = min(first + per_chunk, len(sentences)) - 1
        start, end = sentences[first].start, sentences[last].end
        chunk = Chunk(span_id(key, start, end), key, i, start, end, text[start:end], language, first, last)
        chunks.append(chunk)
    marked = (Span(0, len(texts[0]), "heading"),) if texts else ()
    return Entry(
        document=Document(key, path, path.upper(), language, source_url, text, "text/plain", marked),
        chunks=chunks,
        chunk_vectors=unit(len(chunks), seed=f"c{key}", dimension=dimension),
        sentences=sentences,
        sentence_vectors=unit(len(sentences), seed=f"s{key}", dimension=dimension),
        tokens=[(chunk.text, f"key{chunk.ordinal}") for chunk in chunks],
    )


def file(path: str, *, folder: str = FOLDER, **values: object) -> FileRecord:
    return FileRecord(folder=folder, path=path, sha256="0" * 64, size=7, **values)  # type: ignore[arg-type]


def numbered(i: int, *, sentences: int = 6, dimension: int = DIMENSION) -> Entry:
    """The i-th of many documents, all different."""
    texts = [f"document {i} sentence {j} says {i * 31 + j}" for j in range(sentences)]
    return entry(f"{i}.txt", texts, dimension=dimension)


def filled(data_dir: Path, entries: Sequence[Entry]) -> tuple[Catalogue, Generation]:
    """An open catalogue that holds the entries."""
    catalogue = Catalogue.open(data_dir, create=True)
    generation = catalogue.begin(MANIFEST)
    with catalogue.transaction(generation) as changes:
        for each in entries:
            changes.add(each, file=file(each.document.path))
    return catalogue, generation
