"""Corpora of any size: real articles, and beyond them copies that are no longer the same.

A made document has the spans of a real one. Its words change places with others of the same length, so that offsets
stay right and a language keeps its words; its vectors are the real ones mixed with those of another document and
with noise, and of length 1 again. Search and storage have the work that real documents would give them, and
nothing has to be embedded. What such a document says is not language: answers over it are timed, never judged.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import regex
from numpy.typing import NDArray

from eval.bench.indexing import settings_for
from eval.bench.processes import answer_measure
from eval.bench.texts import articles, read_all
from index.catalogue import Catalogue, CatalogueReader, Entry, FileRecord, Generation
from index.embedder import load_embedder
from index.entries import EntryMaker
from index.language.terms import sound_keys, word_terms
from index.readers import read_document
from index.settings import IndexSettings
from index.types import span_id
from index.upkeep import refresh_vectors

Float32 = NDArray[np.float32]

_REAL, _MADE = "real", "made"
_AT_ONCE = 20
# How much of another document's vector, and of noise, goes into a made one: its cosine to the real one is about 0.9.
_MIXED, _NOISE = 0.6, 0.3
_WORD = regex.compile(r"(?<![\p{L}\p{M}\p{N}])[\p{L}\p{M}]+(?![\p{L}\p{M}\p{N}])")


def fill(
    data_dir: Path,
    texts: Mapping[str, str],
    *,
    chunks: int,
    models: Path,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Make or complete a corpus of at least `chunks` chunks; what is there already stays.

    Args:
        texts: real articles by name, taken in this order.
        models: where the embedding model lies, or is set up.
        progress: called with the chunks that are there.

    Returns:
        Its counts of documents, chunks and sentences, and under "real" the chunks of real articles.
    """
    settings = settings_for(data_dir, models)
    maker = EntryMaker(load_embedder(settings), settings)
    with Catalogue.open(data_dir, create=True) as catalogue:
        generation = catalogue.begin(maker.manifest)
        reader = catalogue.reader(generation)
        entries = _real(texts, maker, settings, skip=_documents(reader, _REAL))
        _add(catalogue, generation, entries, _REAL, chunks, progress)
        real = sum(info.chunks for info in reader.documents() if info.folder == _REAL)
        if reader.counts()["chunks"] < chunks:
            made = _made(list(_stored(reader)), first=_documents(reader, _MADE))
            _add(catalogue, generation, made, _MADE, chunks, progress)
        catalogue.make_live(generation)
        catalogue.set_folders([_REAL, _MADE])
        refresh_vectors(settings, catalogue)
        return {**reader.counts(), "real": real}


def _documents(reader: CatalogueReader, folder: str) -> int:
    return sum(info.folder == folder for info in reader.documents())


def _add(  # noqa: PLR0917 - one step of `fill`
    catalogue: Catalogue,
    generation: Generation,
    entries: Iterator[Entry],
    folder: str,
    chunks: int,
    progress: Callable[[int], None],
) -> None:
    reader = catalogue.reader(generation)
    while (there := reader.counts()["chunks"]) < chunks:
        progress(there)
        group = list(islice(entries, _AT_ONCE))
        if not group:
            return
        with catalogue.transaction(generation) as changes:
            for entry in group:
                if there < chunks:
                    path = f"{folder}-{entry.document.path}"
                    changes.add(
                        entry, file=FileRecord(folder=folder, path=path, sha256=entry.document.id, size=0)
                    )
                    there += len(entry.chunks)


def _real(
    texts: Mapping[str, str], maker: EntryMaker, settings: IndexSettings, *, skip: int
) -> Iterator[Entry]:
    left = iter(list(texts.items())[skip:])
    with tempfile.TemporaryDirectory() as temporary:
        while group := list(islice(left, _AT_ONCE)):
            parts = []
            for name, text in group:
                path = Path(temporary, f"{name}.txt")
                path.write_text(text, encoding="utf-8")
                document = read_document(
                    path,
                    relative_to=Path(temporary),
                    max_bytes=int(settings.max_file_mb * 1_000_000),
                    max_garbled_share=settings.max_garbled_share,
                )
                parts.append(maker.cut(replace(document, path=path.name)))
            for entry in maker.entries(parts, lambda _: None):
                yield replace(entry, document=replace(entry.document, path=entry.document.path))


def _stored(reader: CatalogueReader) -> Iterator[Entry]:
    """The real documents of a corpus, as they are stored."""
    for info in reader.documents():
        document = reader.document(info.id) if info.folder == _REAL else None
        if document is None:
            continue
        chunks = reader.chunks_of(document.id)
        vectors = reader.chunk_vectors([chunk.id for chunk in chunks])
        yield Entry(
            document=document,
            chunks=chunks,
            chunk_vectors=np.stack([vectors[chunk.id] for chunk in chunks]),
            sentences=reader.sentences_of(document.id),
            sentence_vectors=reader.sentence_vectors(document.id),
            tokens=[],
        )


def _made(pool: Sequence[Entry], *, first: int) -> Iterator[Entry]:
    """Made documents without end, the same ones each time; the first is number `first`."""
    number = first
    while True:
        yield _copy(pool, number)
        number += 1


def _copy(pool: Sequence[Entry], number: int) -> Entry:
    entry, other = pool[number % len(pool)], pool[(number * 7 + 1) % len(pool)]
    words, noise = random.Random(number), np.random.default_rng(number)  # noqa: S311
    text = _rearranged(entry.document.text, words)
    key = hashlib.sha256(f"made {number}".encode()).hexdigest()[:16]
    document = replace(entry.document, id=key, path=f"{number:07d}.txt", text=text)
    chunks = [
        replace(c, id=span_id(key, c.start, c.end), document_id=key, text=text[c.start : c.end])
        for c in entry.chunks
    ]
    return Entry(
        document=document,
        chunks=chunks,
        chunk_vectors=_mixed(entry.chunk_vectors, other.chunk_vectors, noise),
        sentences=[
            replace(s, id=span_id(key, s.start, s.end), document_id=key, text=text[s.start : s.end])
            for s in entry.sentences
        ],
        sentence_vectors=_mixed(entry.sentence_vectors, other.sentence_vectors, noise),
        tokens=[(" ".join(word_terms(c.text)), " ".join(sound_keys(c.text, c.language))) for c in chunks],
    )


def _rearranged(text: str, rng: random.Random) -> str:
    """The text with its words in other places, each in that of one of the same length."""
    matches = list(_WORD.finditer(text))
    by_length = defaultdict(list)
    for match in matches:
        by_length[match.end() - match.start()].append(match.group())
    for words in by_length.values():
        rng.shuffle(words)
    pieces, end = [], 0
    for match in matches:
        pieces += [text[end : match.start()], by_length[match.end() - match.start()].pop()]
        end = match.end()
    return "".join([*pieces, text[end:]])


def _mixed(vectors: Float32, others: Float32, rng: np.random.Generator) -> Float32:
    """Unit rows near `vectors`, drawn towards rows of `others`."""
    drawn = others[rng.integers(0, len(others), len(vectors))]
    noise = rng.standard_normal(vectors.shape).astype(np.float32) / np.sqrt(vectors.shape[1])
    mixed = vectors + _MIXED * drawn + _NOISE * noise
    found: Float32 = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    return found


def main(arguments: Sequence[str]) -> int:
    """Fill a corpus; see `processes.measure`. Options: data_dir, smaller, folder, languages, chunks, models."""
    options, found = answer_measure(arguments)
    data_dir = Path(options["data_dir"])
    smaller = options["smaller"]
    if smaller and not (data_dir / "catalogue.sqlite3").exists():  # its real articles are embedded already
        data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(smaller, "catalogue.sqlite3"), data_dir / "catalogue.sqlite3")
    texts = articles(read_all(Path(options["folder"]), options["languages"]))
    by_turns = dict(sorted(texts.items(), key=lambda item: item[0].rsplit("-", 1)[::-1]))
    counts = fill(
        data_dir,
        by_turns,
        chunks=options["chunks"],
        models=Path(options["models"]),
        progress=lambda there: _tell(there, options["chunks"]),
    )
    found.write_text(json.dumps(counts), encoding="utf-8")
    return 0


def _tell(there: int, wanted: int) -> None:
    sys.stderr.write(f"\r  {there:,} of {wanted:,} chunks ")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
