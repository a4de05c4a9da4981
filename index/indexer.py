"""Makes the index equal to folders of files: unchanged files cost a hash, the rest is read, cut, embedded, stored.

Every document becomes visible in one transaction, with all its chunks, sentences and vectors, or not at all. A run
that is interrupted anywhere leaves a sound index; the next run takes up where it stopped. What leaves the index does so
last, once everything new is stored: until then the old documents answer, beside the new ones.

While a group of documents is embedded, the next one is read and cut and the one before is committed, each in a thread
of its own (`index.pipeline`); the order of the commits is that of the files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.catalogue import Catalogue, Entry, FileRecord, Generation
from index.cutting import Parts
from index.embedder import Embedder
from index.entries import EntryMaker, manifest_for
from index.errors import ReadError, SkipReason
from index.folders import FoundFile, found_files
from index.leaving import Leaving
from index.pipeline import Background, ReadAhead, Running
from index.readers import read_document
from index.readers.recognition import could_now_be_read
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
    """What a run did. `skipped` holds (path, reason, detail) for every file that is not in the index,
    `noticed` (path, what of it could not be read) for others."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    skipped: list[tuple[str, str, str]] = field(default_factory=list)
    noticed: list[tuple[str, str]] = field(default_factory=list)
    documents: int = 0
    chunks: int = 0
    sentences: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether a file was left out for a reason that someone should look at; duplicates are not one."""
        return any(reason != SkipReason.DUPLICATE for _, reason, _ in self.skipped)


class _Meter:
    """Counts what a run has done and reports it."""

    def __init__(self, progress: Callable[[Progress], None], *, files_total: int, bytes_total: int) -> None:
        self._progress = progress
        self._now = Progress(0, files_total, 0, bytes_total, 0)

    def looked_at(self, file: FoundFile) -> None:
        self._move(files_done=self._now.files_done + 1, bytes_done=self._now.bytes_done + file.size)

    def embedded(self, texts: int) -> None:
        self._move(texts=self._now.texts + texts)

    def _move(self, **counts: int) -> None:
        self._now = replace(self._now, **counts)
        self._progress(self._now)


@dataclass(slots=True)
class _Group:
    """Documents that are embedded and committed together, and their length in code points."""

    files: list[FoundFile] = field(default_factory=list)
    parts: list[Parts] = field(default_factory=list)
    characters: int = 0

    def add(self, file: FoundFile, parts: Parts) -> None:
        self.files.append(file)
        self.parts.append(parts)
        self.characters += len(parts.document.text)


@dataclass(frozen=True, slots=True)
class _Run:
    """What one run works on. `known`: the files of the generation when it began, by folder and path."""

    generation: Generation
    known: dict[tuple[str, str], FileRecord]
    leaving: Leaving
    summary: Summary


class _Storing:
    """Embeds groups, one at a time, and commits each while the next one is embedded.

    A document of a file that vanished moves to the file in which it is found again, in one transaction.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        maker: EntryMaker,
        run: _Run,
        *,
        embedding: Background,
        embedded: Callable[[int], None],
    ) -> None:
        self._catalogue = catalogue
        self._maker = maker
        self._run = run
        self._embedding = embedding
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
        with self._catalogue.transaction(self._run.generation) as changes:
            for file, entry in zip(group.files, entries, strict=True):
                self._run.leaving.make_way(entry.document.id, changes)
                self._note(file, added=changes.add(entry, file=_record(file, detail=entry.document.notice)))
                if entry.document.notice:
                    self._run.summary.noticed.append((file.name, entry.document.notice))

    def _note(self, file: FoundFile, *, added: bool) -> None:
        before, summary = self._run.known.get(file.key), self._run.summary
        if before is not None and before.document_id is not None:
            summary.changed.append(file.name)
        elif added:
            summary.added.append(file.name)
        else:
            duplicate = (file.name, SkipReason.DUPLICATE.value, "the same content is indexed already")
            summary.skipped.append(duplicate)


class Indexer:
    """Writes one catalogue with one embedder. The caller owns the data directory (see `index.ownership`)."""

    def __init__(self, catalogue: Catalogue, embedder: Embedder, settings: IndexSettings) -> None:
        self._catalogue = catalogue
        self._settings = settings
        self._maker = EntryMaker(embedder, settings)

    def run(
        self,
        folders: Sequence[Path],
        *,
        allow_empty: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> Summary:
        """Make the index equal to the files of `folders`.

        What cannot be opened, a file or a folder, keeps what is indexed of it.

        Args:
            folders: existing folders; a file that is in none of them leaves the index.
            allow_empty: whether one of them may lose all its documents, or the index may.
            progress: called after each file that was looked at and while long ones are embedded.

        Raises:
            UsageError: a folder does not exist.
            WorkError: the catalogue cannot be written, or, unless `allow_empty`, the folders hold nothing that can
                be read, of which documents are indexed: those are all there still.
        """
        started = time.monotonic()
        summary = Summary()
        doomed = set(self._catalogue.jobs.doomed())
        found = [file for file in found_files(folders) if file.key not in doomed]
        generation = self._catalogue.begin(self._maker.manifest)
        known = {(file.folder, file.path): file for file in self._catalogue.files(generation)}
        leaving = Leaving(self._catalogue, generation, known, found)
        run = _Run(generation, known, leaving, summary)
        self._add(run, self._changed(run, found), progress or (lambda _: None))
        names = [str(folder.resolve()) for folder in folders]
        if not allow_empty:
            leaving.refuse_to_empty(names, why=_first_skipped(summary))
        leaving.remove()
        summary.removed += [file.path for file in leaving.vanished]
        self._catalogue.make_live(generation)
        self._catalogue.set_folders(names)
        counts = self._catalogue.reader(generation).counts()
        summary.documents, summary.chunks = counts["documents"], counts["chunks"]
        summary.sentences = counts["sentences"]
        summary.skipped.sort()
        summary.noticed.sort()
        summary.seconds = time.monotonic() - started
        return summary

    def _changed(self, run: _Run, found: Sequence[FoundFile]) -> list[FoundFile]:
        """The files that are new or differ from what was stored; the others are counted."""
        changed = []
        for file in found:
            before = run.known.get(file.key)
            if (
                before is None
                or not file.sha256
                or before.sha256 != file.sha256
                or could_now_be_read(before.detail)
            ):
                changed.append(file)
            elif before.skip_reason:
                run.summary.skipped.append((file.name, before.skip_reason, before.detail))
            else:
                if before.detail:
                    run.summary.noticed.append((file.name, before.detail))
                run.summary.unchanged += 1
        return changed

    def _add(self, run: _Run, files: Sequence[FoundFile], progress: Callable[[Progress], None]) -> None:
        meter = _Meter(progress, files_total=len(files), bytes_total=sum(file.size for file in files))
        reading = ReadAhead(files, self._read, size=_length, most=_GROUP_CHARACTERS)
        with Background() as embedding, reading:
            storing = _Storing(
                self._catalogue, self._maker, run, embedding=embedding, embedded=meter.embedded
            )
            group, enough = _Group(), _FIRST_CHARACTERS
            for file, read in reading:
                if isinstance(read, ReadError):
                    self._skip(run, file, read)
                else:
                    group.add(file, read)
                if group.characters >= enough:
                    storing.add(group)
                    group, enough = _Group(), _GROUP_CHARACTERS
                meter.looked_at(file)
            if group.files:
                storing.add(group)
            storing.finish()

    def _read(self, file: FoundFile) -> Parts | ReadError:
        """A file's document and its parts; for a file that cannot be read, why."""
        try:
            document = read_document(
                file.path,
                relative_to=Path(file.folder),
                max_bytes=int(self._settings.max_file_mb * 1_000_000),
                max_garbled_share=self._settings.max_garbled_share,
                ocr_seconds=self._settings.ocr_seconds,
            )
            return self._maker.cut(replace(document, path=file.name))
        except ReadError as error:
            return error

    def _skip(self, run: _Run, file: FoundFile, error: ReadError) -> None:
        """Note a file that cannot be read; the document that it held leaves at the end, if it does."""
        before = run.known.get(file.key)
        held = before is not None and before.document_id is not None
        stays = (
            held and error.reason is SkipReason.UNREADABLE
        )  # who cannot look does not know that it changed
        detail = f"{error.detail}; until then what is indexed of it stays" if stays else error.detail
        run.summary.skipped.append((file.name, error.reason.value, detail))
        record = _record(file, skip_reason=error.reason.value, detail=error.detail)
        if not held:
            with self._catalogue.transaction(run.generation) as changes:
                changes.skip(record)
        elif not stays:
            run.leaving.add_unread(record)


def _first_skipped(summary: Summary) -> str:
    first = min(summary.skipped, default=None)
    return "" if first is None else f" ({first[0]}: {first[2]})"


def _length(read: Parts | ReadError) -> int:
    return _REFUSAL_CHARACTERS if isinstance(read, ReadError) else len(read.document.text)


def _record(file: FoundFile, *, skip_reason: str | None = None, detail: str = "") -> FileRecord:
    return FileRecord(
        folder=file.folder,
        path=file.name,
        sha256=file.sha256,
        size=file.size,
        skip_reason=skip_reason,
        detail=detail,
    )
