"""Makes the index equal to folders of files: unchanged files cost a hash, the rest is read, cut, embedded, stored.

Every document becomes visible in one transaction, with all its chunks, sentences and vectors, or not at all. A run
that is interrupted anywhere leaves a sound index; the next run takes up where it stopped.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Catalogue, Entry, FileRecord, Generation, Manifest
from index.chunks import CHUNKER_VERSION, make_chunks
from index.clauses import CLAUSES_VERSION, find_clauses
from index.embedder import Embedder
from index.errors import ReadError, SkipReason, UsageError
from index.language import detect_per_part
from index.neutral import NEUTRAL_VERSION, LanguageDirections
from index.normalise import NORMALISER_VERSION
from index.readers import document_files, read_document
from index.sentences import SENTENCES_VERSION, lines, split_sentences
from index.settings import IndexSettings
from index.terms import TERMS_VERSION, sound_keys, word_terms
from index.types import Chunk, Clause, Document, Sentence

# A group of documents is embedded and committed together once it holds so many code points: long enough to
# fill the embedder's batches, short enough that little is lost when a run is cut off.
_GROUP_CHARACTERS = 60_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. Bytes count files that changed; texts count what was embedded."""

    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int
    texts: int


@dataclass(slots=True)
class Summary:
    """What a run did. `skipped` holds (path, reason, detail) for every file that is not in the index."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[tuple[str, str, str]] = field(default_factory=list)
    documents: int = 0
    chunks: int = 0
    sentences: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether a file was left out for a reason that someone should look at; duplicates are not one."""
        return any(reason != SkipReason.DUPLICATE for _, reason, _ in self.skipped)


def manifest_for(embedder: Embedder, settings: IndexSettings) -> Manifest:
    """What an index made with this embedder and these settings says of itself."""
    return Manifest(
        model=embedder.name,
        revision=embedder.revision,
        dimension=embedder.dimension,
        query_prompt=embedder.query_prompt,
        passage_prompt=embedder.passage_prompt,
        normaliser_version=str(NORMALISER_VERSION),
        chunker_version=f"{CHUNKER_VERSION}.{SENTENCES_VERSION}.{CLAUSES_VERSION}",
        chunk_tokens=min(settings.chunk_tokens, embedder.max_tokens),
        chunk_overlap=settings.chunk_overlap,
        words_version=str(TERMS_VERSION),
        language_correction=settings.language_correction,
        neutral_version=str(NEUTRAL_VERSION),
    )


@dataclass(frozen=True, slots=True)
class _File:
    folder: str
    path: Path
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Parts:
    file: _File
    document: Document
    sentences: list[Sentence]
    chunks: list[Chunk]
    clauses: list[Clause]


class _Meter:
    """Counts what a run has done and reports it."""

    def __init__(self, progress: Callable[[Progress], None], *, files_total: int, bytes_total: int) -> None:
        self._progress = progress
        self._now = Progress(0, files_total, 0, bytes_total, 0)

    def looked_at(self, file: _File) -> None:
        self._move(files_done=self._now.files_done + 1, bytes_done=self._now.bytes_done + file.size)

    def embedded(self, texts: int) -> None:
        self._move(texts=self._now.texts + texts)

    def _move(self, **counts: int) -> None:
        self._now = replace(self._now, **counts)
        self._progress(self._now)


class Indexer:
    """Writes one catalogue with one embedder. The caller owns the data directory (see `index.ownership`)."""

    def __init__(self, catalogue: Catalogue, embedder: Embedder, settings: IndexSettings) -> None:
        self._catalogue = catalogue
        self._embedder = embedder
        self._settings = settings
        self._manifest = manifest_for(embedder, settings)
        self._directions = LanguageDirections(
            embedder, strength=settings.language_correction, folder=settings.data_dir / "models"
        )

    def run(self, folders: Sequence[Path], *, progress: Callable[[Progress], None] | None = None) -> Summary:
        """Make the index equal to the files of `folders`.

        Args:
            folders: existing folders; a file that is in none of them leaves the index.
            progress: called after each file that was looked at and while long ones are embedded.

        Raises:
            UsageError: a folder does not exist or cannot be listed.
            WorkError: the catalogue cannot be written.
        """
        started = time.monotonic()
        summary = Summary()
        found = list(_list_files(folders))
        generation = self._catalogue.begin(self._manifest)
        known = {(file.folder, file.path): file for file in self._catalogue.files(generation)}
        self._remove_vanished(generation, known, found, summary)
        changed = self._changed(generation, known, found, summary)
        self._add(generation, known, changed, summary, progress or (lambda _: None))
        self._catalogue.make_live(generation)
        self._catalogue.set_folders([str(folder.resolve()) for folder in folders])
        counts = self._catalogue.reader(generation).counts()
        summary.documents, summary.chunks = counts["documents"], counts["chunks"]
        summary.sentences = counts["sentences"]
        summary.skipped.sort()
        summary.seconds = time.monotonic() - started
        return summary

    def _remove_vanished(
        self,
        generation: Generation,
        known: dict[tuple[str, str], FileRecord],
        found: Sequence[_File],
        summary: Summary,
    ) -> None:
        here = {(file.folder, file.name) for file in found}
        vanished = sorted(known.keys() - here)
        if vanished:
            with self._catalogue.transaction(generation) as changes:
                for folder, name in vanished:
                    changes.remove_file(folder, name)
        summary.removed += [name for _, name in vanished]

    def _changed(
        self,
        generation: Generation,
        known: dict[tuple[str, str], FileRecord],
        found: Sequence[_File],
        summary: Summary,
    ) -> list[_File]:
        """The files that are new or differ from what was stored; the others are counted."""
        changed = []
        for file in found:
            before = known.get((file.folder, file.name))
            if before is None or not file.sha256 or before.sha256 != file.sha256:
                changed.append(file)
            elif before.skip_reason:
                summary.skipped.append((file.name, before.skip_reason, before.detail))
            else:
                summary.unchanged += 1
        return changed

    def _add(
        self,
        generation: Generation,
        known: dict[tuple[str, str], FileRecord],
        files: Sequence[_File],
        summary: Summary,
        progress: Callable[[Progress], None],
    ) -> None:
        meter = _Meter(progress, files_total=len(files), bytes_total=sum(file.size for file in files))
        group: list[_Parts] = []
        for file in files:
            parts = self._read(generation, file, summary)
            if parts is not None:
                group.append(parts)
            if sum(len(parts.document.text) for parts in group) >= _GROUP_CHARACTERS:
                self._store(generation, known, group, summary, meter.embedded)
                group = []
            meter.looked_at(file)
        if group:
            self._store(generation, known, group, summary, meter.embedded)

    def _read(self, generation: Generation, file: _File, summary: Summary) -> _Parts | None:
        """A file's document and its parts; a file that cannot be read is noted with its reason."""
        try:
            document = read_document(
                file.path,
                relative_to=Path(file.folder),
                max_bytes=int(self._settings.max_file_mb * 1_000_000),
                max_garbled_share=self._settings.max_garbled_share,
            )
            parts = self._cut(file, replace(document, path=file.name))
            if not parts.chunks:
                raise ReadError(SkipReason.EMPTY, "it holds no words; there is nothing to index")
        except ReadError as error:
            summary.skipped.append((file.name, error.reason.value, error.detail))
            with self._catalogue.transaction(generation) as changes:
                changes.skip(_record(file, skip_reason=error.reason.value, detail=error.detail))
            return None
        return parts

    def _cut(self, file: _File, document: Document) -> _Parts:
        starts, texts = zip(*lines(document.text), strict=True) if document.text.strip() else ((), ())
        languages = dict(zip(starts, detect_per_part(texts, document.language), strict=True))
        sentences = split_sentences(document, languages=languages)
        chunks = make_chunks(
            document,
            sentences,
            self._embedder.count_tokens([sentence.text for sentence in sentences]),
            size=self._manifest.chunk_tokens,
            overlap=self._settings.chunk_overlap,
        )
        return _Parts(file, document, sentences, chunks, find_clauses(document, sentences))

    def _store(
        self,
        generation: Generation,
        known: dict[tuple[str, str], FileRecord],
        group: Sequence[_Parts],
        summary: Summary,
        embedded: Callable[[int], None],
    ) -> None:
        """Embed a group of documents in one go and commit them in one transaction."""
        spans: list[Chunk | Sentence | Clause] = []
        for parts in group:
            spans += [*parts.chunks, *parts.sentences, *parts.clauses]
        vectors = self._embed(spans, embedded)
        position = 0
        with self._catalogue.transaction(generation) as changes:
            for parts in group:
                counts = len(parts.chunks), len(parts.sentences), len(parts.clauses)
                cuts = np.cumsum([position, *counts])
                position = int(cuts[-1])
                entry = Entry(
                    document=parts.document,
                    chunks=parts.chunks,
                    chunk_vectors=vectors[cuts[0] : cuts[1]],
                    sentences=parts.sentences,
                    sentence_vectors=vectors[cuts[1] : cuts[2]],
                    clauses=parts.clauses,
                    clause_vectors=vectors[cuts[2] : cuts[3]],
                    tokens=_tokens(parts),
                )
                self._note(changes.add(entry, file=_record(parts.file)), known, parts, summary)

    def _note(
        self, added: bool, known: dict[tuple[str, str], FileRecord], parts: _Parts, summary: Summary
    ) -> None:
        name = parts.file.name
        before = known.get((parts.file.folder, name))
        if before is not None and before.document_id is not None:
            summary.changed.append(name)
        elif added:
            summary.added.append(name)
        else:
            summary.skipped.append((name, SkipReason.DUPLICATE.value, "the same content is indexed already"))

    def _embed(
        self, spans: Sequence[Chunk | Sentence | Clause], embedded: Callable[[int], None]
    ) -> NDArray[np.float32]:
        """(spans, dimension) language-neutral unit vectors; a text that occurs twice is embedded once."""
        keys = [(span.text, span.language) for span in spans]
        distinct = list(dict.fromkeys(keys))
        rows = self._embedder.embed_passages([text for text, _ in distinct], progress=embedded)
        rows = self._directions.neutralise(rows, [language for _, language in distinct])
        where = {key: row for row, key in enumerate(distinct)}
        return rows[[where[key] for key in keys]]


def _list_files(folders: Sequence[Path]) -> Iterator[_File]:
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder: give the folder that holds the documents")
        root = folder.resolve()
        for path in document_files(root):
            yield _File(str(root), path, _name(path.relative_to(root)), *_size_and_hash(path))


def _name(path: Path) -> str:
    """A path as text; bytes that are not UTF-8, which older systems left in file names, become `\\xe9`."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _size_and_hash(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file; an unreadable one has no hash and is reported when it is read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return path.stat().st_size, digest
    except OSError:
        return 0, ""


def _record(file: _File, *, skip_reason: str | None = None, detail: str = "") -> FileRecord:
    return FileRecord(
        folder=file.folder,
        path=file.name,
        sha256=file.sha256,
        size=file.size,
        skip_reason=skip_reason,
        detail=detail,
    )


def _tokens(parts: _Parts) -> list[tuple[str, str]]:
    """Words and sound keys of each chunk; the first one also holds those of the title."""
    texts = [(chunk.text, chunk.language) for chunk in parts.chunks]
    texts[0] = (f"{parts.document.title}\n{texts[0][0]}", texts[0][1])
    return [(" ".join(word_terms(text)), " ".join(sound_keys(text, language))) for text, language in texts]
