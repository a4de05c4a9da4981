"""Entries for the storage tests: whole documents with made-up vectors, so that no model is needed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from index.catalogue import Catalogue, CatalogueReader, Entry, FileRecord, Generation, Manifest
from index.corpus import Corpus
from index.settings import IndexSettings
from index.types import Chunk, Document, Place, Sentence, Span, span_id
from index.vectors import build, pointer

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
    places = (
        (Place(0, len(texts[0]), 1), Place(len(texts[0]), len(text), 2, texts[0])) if len(texts) > 1 else ()
    )
    return Entry(
        document=Document(key, path, path.upper(), language, source_url, text, "text/plain", marked, places),
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


SCRIPTS = entry(
    "scripts.txt",
    [
        "Cần Thơ công bố dữ liệu.",
        "ক্যান থো ৫৪০টি ডেটাসেট।",
        "कैन थो ने डेटा दिया।",
        "Öppna data 👩‍👩‍👧 é é.",
        "\U0001f600",
    ],
    language="vi",
    source_url="https://example.org/a?b=c#d",
)
ENTRIES = [numbered(i) for i in range(60)]


def add(catalogue: Catalogue, generation: Generation, *entries: Entry, folder: str = FOLDER) -> list[bool]:
    with catalogue.transaction(generation) as changes:
        return [changes.add(each, file=file(each.document.path, folder=folder)) for each in entries]


def whole(reader: CatalogueReader, each: Entry) -> bool:
    """Whether a document is stored with all of its parts, as they were given."""
    key = each.document.id
    words = each.tokens[0][0].split() if each.tokens else []
    found = reader.search_text(words=words, keys=[], key_weight=1, top_k=9999, among=frozenset([key]))
    return (
        reader.document(key) == each.document
        and reader.chunks_of(key) == list(each.chunks)
        and reader.sentences_of(key) == list(each.sentences)
        and np.array_equal(reader.sentence_vectors(key), each.sentence_vectors)
        and len(reader.block_of("chunks", [key]).rows) == len(each.chunks)
        and bool(found) == bool(each.chunks)
    )


def configured_for(data_dir: Path) -> IndexSettings:
    values: dict[str, Any] = {"data_dir": data_dir}
    return IndexSettings(**values)


def in_use(corpus: Corpus) -> list[str]:
    version = corpus.vector_version
    return [] if version is None else [version]


class Case:
    """A data directory, its catalogue, its corpus, and the documents that are in it now."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.catalogue, self.generation = filled(data_dir, ENTRIES)
        self.entries = {each.document.path: each for each in ENTRIES}
        self.settings = configured_for(data_dir)
        self.corpus = Corpus.open(self.settings, manifest_expected=MANIFEST)

    def close(self) -> None:
        self.corpus.close()
        self.catalogue.close()

    def build(self) -> pointer.Pointer:
        return build.build(self.data_dir, generation=self.generation.id)

    def add(self, each: Entry) -> None:
        with self.catalogue.transaction(self.generation) as changes:
            changes.add(each, file=file(each.document.path))
        self.entries[each.document.path] = each

    def remove(self, path: str) -> None:
        with self.catalogue.transaction(self.generation) as changes:
            changes.remove_file(FOLDER, path)
        del self.entries[path]

    def exact(
        self, vector: NDArray[np.float32], *, top_k: int, documents: frozenset[str] | None = None
    ) -> list[tuple[str, float]]:
        """The slow obvious search over sentences."""
        scored = [
            (sentence.id, float(row @ vector))
            for each in self.entries.values()
            if documents is None or each.document.id in documents
            for sentence, row in zip(each.sentences, each.sentence_vectors, strict=True)
        ]
        return sorted(scored, key=lambda item: -item[1])[:top_k]

    def agrees(self, *, top_k: int = 7, documents: frozenset[str] | None = None) -> None:
        """Compare a few searches with the slow obvious one."""
        for seed in range(3):
            vector = unit(1, seed=f"query {seed}")[0]
            found = self.corpus.search_sentences(vector, top_k=top_k, documents=documents)
            expected = self.exact(vector, top_k=top_k, documents=documents)
            assert [match.id for match in found] == [key for key, _ in expected]
            assert [match.score for match in found] == pytest.approx([s for _, s in expected], abs=1e-5)
