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

from index.catalogue import Catalogue, FileRecord, Generation
from index.embedder import Embedder
from index.entries import EntryMaker, Parts, manifest_for
from index.errors import ReadError, SkipReason, UsageError
from index.readers import document_files, read_document
from index.settings import IndexSettings

__all__ = ["Indexer", "Progress", "Summary", "manifest_for"]

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


@dataclass(frozen=True, slots=True)
class _File:
    folder: str
    path: Path
    name: str
    size: int
    sha256: str


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
        self._settings = settings
        self._maker = EntryMaker(embedder, settings)

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
        doomed = set(self._catalogue.jobs.doomed())
        found = [file for file in _list_files(folders) if (file.folder, file.name) not in doomed]
        generation = self._catalogue.begin(self._maker.manifest)
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
        group: list[tuple[_File, Parts]] = []
        held = 0  # code points in the group
        for file in files:
            parts = self._read(generation, file, summary)
            if parts is not None:
                group.append((file, parts))
                held += len(parts.document.text)
            if held >= _GROUP_CHARACTERS:
                self._store(generation, known, group, summary, meter.embedded)
                group, held = [], 0
            meter.looked_at(file)
        if group:
            self._store(generation, known, group, summary, meter.embedded)

    def _read(self, generation: Generation, file: _File, summary: Summary) -> Parts | None:
        """A file's document and its parts; a file that cannot be read is noted with its reason."""
        try:
            document = read_document(
                file.path,
                relative_to=Path(file.folder),
                max_bytes=int(self._settings.max_file_mb * 1_000_000),
                max_garbled_share=self._settings.max_garbled_share,
            )
            return self._maker.cut(replace(document, path=file.name))
        except ReadError as error:
            summary.skipped.append((file.name, error.reason.value, error.detail))
            with self._catalogue.transaction(generation) as changes:
                changes.skip(_record(file, skip_reason=error.reason.value, detail=error.detail))
            return None

    def _store(
        self,
        generation: Generation,
        known: dict[tuple[str, str], FileRecord],
        group: Sequence[tuple[_File, Parts]],
        summary: Summary,
        embedded: Callable[[int], None],
    ) -> None:
        """Embed a group of documents in one go and commit them in one transaction."""
        entries = self._maker.entries([parts for _, parts in group], embedded)
        with self._catalogue.transaction(generation) as changes:
            for (file, _), entry in zip(group, entries, strict=True):
                self._note(changes.add(entry, file=_record(file)), known, file, summary)

    def _note(
        self, added: bool, known: dict[tuple[str, str], FileRecord], file: _File, summary: Summary
    ) -> None:
        name = file.name
        before = known.get((file.folder, name))
        if before is not None and before.document_id is not None:
            summary.changed.append(name)
        elif added:
            summary.added.append(name)
        else:
            summary.skipped.append((name, SkipReason.DUPLICATE.value, "the same content is indexed already"))


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
