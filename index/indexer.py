"""Makes the index equal to folders of files: unchanged files cost a hash, the rest is read, cut, embedded, stored.

Every document becomes visible in one transaction, with all its chunks, sentences and vectors, or not at all. A run
that is interrupted anywhere leaves a sound index; the next run takes up where it stopped.

While a group of documents is embedded, the next one is read and cut and the one before is committed, each in a thread
of its own (`index.pipeline`); the order of the commits is that of the files.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.catalogue import Catalogue, Entry, FileRecord, Generation
from index.embedder import Embedder
from index.entries import EntryMaker, Parts, manifest_for
from index.errors import ReadError, SkipReason, UsageError
from index.pipeline import Background, ReadAhead, Running
from index.readers import document_files, read_document
from index.settings import IndexSettings

__all__ = ["Indexer", "Progress", "Summary", "manifest_for"]

# A group of documents is embedded and committed together once it holds so many code points: long enough to
# fill the embedder's batches, short enough that little is lost when a run is cut off.
_GROUP_CHARACTERS = 60_000
# The first group is small, so that the network need not wait long for it.
_FIRST_CHARACTERS = 8_000
# Larger groups, which hold a book, are committed before the next one is embedded: two of them are too much to hold.
_LARGE_GROUP = 4 * _GROUP_CHARACTERS
# What a file that cannot be read counts among those that were read ahead, in code points.
_REFUSAL_CHARACTERS = 1_000


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


@dataclass(slots=True)
class _Group:
    """Documents that are embedded and committed together, and their length in code points."""

    files: list[_File] = field(default_factory=list)
    parts: list[Parts] = field(default_factory=list)
    characters: int = 0

    def add(self, file: _File, parts: Parts) -> None:
        self.files.append(file)
        self.parts.append(parts)
        self.characters += len(parts.document.text)


class _Storing:
    """Embeds groups, one at a time, and commits each while the next one is embedded."""

    def __init__(
        self,
        catalogue: Catalogue,
        generation: Generation,
        maker: EntryMaker,
        *,
        embedding: Background,
        known: dict[tuple[str, str], FileRecord],
        summary: Summary,
        embedded: Callable[[int], None],
    ) -> None:
        self._catalogue = catalogue
        self._generation = generation
        self._maker = maker
        self._embedding = embedding
        self._known = known
        self._summary = summary
        self._embedded = embedded
        self._running: tuple[_Group, Running[list[Entry]]] | None = None

    def add(self, group: _Group) -> None:
        """Commit the groups before the last one and begin to embed this one."""
        before, self._running = self._running, None
        entries = before[1].result(self._embedded) if before is not None else []
        if before is not None and before[0].characters > _LARGE_GROUP:
            self._commit(before[0], entries)
            before, entries = None, []
        parts = group.parts
        self._running = group, self._embedding.start(lambda tell: self._maker.entries(parts, tell))
        if before is not None:
            self._commit(before[0], entries)

    def finish(self) -> None:
        """Commit what is left."""
        if self._running is not None:
            group, running = self._running
            self._running = None
            self._commit(group, running.result(self._embedded))

    def _commit(self, group: _Group, entries: Sequence[Entry]) -> None:
        with self._catalogue.transaction(self._generation) as changes:
            for file, entry in zip(group.files, entries, strict=True):
                self._note(file, added=changes.add(entry, file=_record(file)))

    def _note(self, file: _File, *, added: bool) -> None:
        before = self._known.get((file.folder, file.name))
        if before is not None and before.document_id is not None:
            self._summary.changed.append(file.name)
        elif added:
            self._summary.added.append(file.name)
        else:
            duplicate = (file.name, SkipReason.DUPLICATE.value, "the same content is indexed already")
            self._summary.skipped.append(duplicate)


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
        reading = ReadAhead(files, self._read, size=_length, most=_GROUP_CHARACTERS)
        with Background() as embedding, reading:
            storing = _Storing(
                self._catalogue,
                generation,
                self._maker,
                embedding=embedding,
                known=known,
                summary=summary,
                embedded=meter.embedded,
            )
            group, enough = _Group(), _FIRST_CHARACTERS
            for file, read in reading:
                if isinstance(read, ReadError):
                    self._skip(generation, file, read, summary)
                else:
                    group.add(file, read)
                if group.characters >= enough:
                    storing.add(group)
                    group, enough = _Group(), _GROUP_CHARACTERS
                meter.looked_at(file)
            if group.files:
                storing.add(group)
            storing.finish()

    def _read(self, file: _File) -> Parts | ReadError:
        """A file's document and its parts; for a file that cannot be read, why."""
        try:
            document = read_document(
                file.path,
                relative_to=Path(file.folder),
                max_bytes=int(self._settings.max_file_mb * 1_000_000),
                max_garbled_share=self._settings.max_garbled_share,
            )
            return self._maker.cut(replace(document, path=file.name))
        except ReadError as error:
            return error

    def _skip(self, generation: Generation, file: _File, error: ReadError, summary: Summary) -> None:
        summary.skipped.append((file.name, error.reason.value, error.detail))
        with self._catalogue.transaction(generation) as changes:
            changes.skip(_record(file, skip_reason=error.reason.value, detail=error.detail))


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


def _length(read: Parts | ReadError) -> int:
    return _REFUSAL_CHARACTERS if isinstance(read, ReadError) else len(read.document.text)


def _record(file: _File, *, skip_reason: str | None = None, detail: str = "") -> FileRecord:
    return FileRecord(
        folder=file.folder,
        path=file.name,
        sha256=file.sha256,
        size=file.size,
        skip_reason=skip_reason,
        detail=detail,
    )
