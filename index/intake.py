"""Documents that come while questions are answered: taken in, indexed one after the other, deleted.

`submit` returns once the files and their job are on the disk; from then on nothing that ends the process loses them.
One thread does the work, and it alone and `delete` write, in turn: a document, its file's place and its job's state
change in one transaction. Readers see each document whole or not at all.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from index.catalogue import Catalogue, Entry, FileRecord, FileState, Generation, Job, Task, Transaction
from index.embedder import Embedder
from index.entries import EntryMaker
from index.errors import DocumentKept, IndexMissing, IntakeFull, ReadError, UsageError, WorkError
from index.reading_process import ReadingProcess
from index.settings import IndexSettings
from index.types import Document
from index.upkeep import refresh_vectors
from index.upload_names import safe_name
from index.uploads import Source, UploadFiles, clear_doomed, clear_leftovers, file_hash

log = logging.getLogger(__name__)

JOBS_KEPT = 200
"""Finished jobs that can still be asked for."""

# A file that ends the server, or meets a full disk, is tried again so often, after waits that grow.
_MOST_ATTEMPTS = 20
_LONGEST_WAIT_SECONDS = 60.0
_STOP_SECONDS = 15.0
# The vectors for search are looked after when nothing waits, and after so many files.
_FILES_BETWEEN_UPKEEP = 200
# The process that reads files takes a second to start; without work for so long it gives its memory back.
_IDLE_SECONDS = 60.0


class Intake:
    """Uploads and deletions of one data directory, which the caller owns. Safe to share between threads.

    Args:
        settings: where the data lies, and the limits.
        embedder: the one that made the index.

    Raises:
        IndexMissing: nothing is indexed.
        WorkError: the data directory cannot be written.
    """

    def __init__(self, settings: IndexSettings, embedder: Embedder) -> None:
        self._settings = settings
        self._catalogue = Catalogue.open(settings.data_dir, create=True)
        self._files = UploadFiles(settings.data_dir)
        self._maker = EntryMaker(embedder, settings)
        self._lock = threading.Lock()  # around every change of uploads and the documents they became
        self._coming_lock = threading.Lock()
        self._coming = 0  # files that are being staged
        self._stop = threading.Event()
        self._wake = threading.Event()
        try:
            self._live()
            clear_doomed(self._catalogue)
            clear_leftovers(self._files, self._catalogue)
        except BaseException:
            self._catalogue.close()
            raise
        self._worker = threading.Thread(target=self._run, name="intake", daemon=True)
        self._worker.start()

    def close(self) -> None:
        """Stop the work; what is not done is taken up again by the next `Intake` of the data directory."""
        self._stop.set()
        self._wake.set()
        self._worker.join(_STOP_SECONDS)
        if self._worker.is_alive():
            log.warning("a large document is still being cut: it is taken up again at the next start")
            return
        self._catalogue.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def folder(self) -> str:
        """The folder of the documents that can be deleted, as `DocumentInfo.folder` has it."""
        return str(self._files.folder)

    # -- jobs

    def submit(self, files: Iterable[tuple[str, Source]]) -> Job:
        """Take files in; they are indexed in their order. Returns the job that tells what becomes of each.

        Args:
            files: names as the client gave them, any text, and contents.

        Raises:
            UsageError: there is none, or a path is no file.
            IntakeFull: too many wait already.
            WorkError: the files cannot be stored.
        """
        given = list(files)
        if not given:
            raise UsageError("no file was sent: send at least one")
        job_id = uuid.uuid4().hex
        with self._room(len(given)):
            staged = self._files.stage(job_id, given, max_bytes=int(self._settings.max_file_mb * 1_000_000))
            try:
                job = self._catalogue.jobs.add(job_id, staged)
            except BaseException:
                self._files.drop_job(job_id)
                raise
        if job.state == "done":
            self._files.drop_job(job_id)
        self._wake.set()
        return job

    def job(self, job_id: str) -> Job | None:
        """Return a job, None when there is none; the latest finished ones are kept."""
        return self._catalogue.jobs.get(job_id)

    def jobs(self, *, limit: int = 50) -> list[Job]:
        """Return at most `limit` jobs, the newest first."""
        return self._catalogue.jobs.latest(limit)

    def waiting(self) -> int:
        """Return how many files wait or are worked on."""
        return self._catalogue.jobs.waiting()

    @contextmanager
    def _room(self, more: int) -> Iterator[None]:
        """Hold room for files while they are staged."""
        with self._coming_lock:
            waiting = self.waiting() + self._coming
            if waiting >= self._settings.max_queued_uploads:
                raise IntakeFull(f"{waiting:,} uploaded files wait to be indexed: try again later")
            self._coming += more
        try:
            yield
        finally:
            with self._coming_lock:
                self._coming -= more

    # -- deletion

    def delete(self, document_id: str) -> bool:
        """Delete an uploaded document with its file; from then on no answer rests on it.

        Returns False when there is no such document.

        Raises:
            DocumentKept: a file of it lies in another folder.
            WorkError: the catalogue cannot be written; the document is there as before.
        """
        with self._lock:
            live = self._live()
            holders = self._catalogue.files_of(live, document_id)
            if not holders:
                return False
            other = next((file for file in holders if file.folder != self.folder), None)
            if other is not None:
                raise DocumentKept(
                    f"the document belongs to the folder {other.folder}: "
                    f"remove {other.path} there and run `rag index`"
                )
            with self._catalogue.transaction(live) as changes:
                changes.remove_document(document_id)
                for file in holders:
                    changes.doom_file(file.folder, file.path)
            clear_doomed(self._catalogue)
        self._wake.set()
        return True

    # -- the work

    def _run(self) -> None:
        with ReadingProcess(self._settings, stopped=self._stop.is_set) as reading:
            done = 0
            while not self._stop.is_set():
                try:
                    self._wake.clear()
                    task = self._catalogue.jobs.next_task()
                    if task is not None:
                        self._work(task, reading)
                        done += 1
                    if task is None or done % _FILES_BETWEEN_UPKEEP == 0:
                        self._rest(reading, wait=task is None)
                except _StoppedError:
                    return
                except Exception:
                    # Of the catalogue or the disk: the thread must live on, what waits is safe.
                    log.exception("uploads wait for %g seconds", _LONGEST_WAIT_SECONDS)
                    self._stop.wait(_LONGEST_WAIT_SECONDS)

    def _rest(self, reading: ReadingProcess, *, wait: bool) -> None:
        """Look after the vectors and the list of jobs, then wait for more."""
        self._catalogue.jobs.prune(JOBS_KEPT)
        refresh_vectors(self._settings, self._catalogue, writing=self._go_on, serving=True)
        if wait and not self._wake.wait(_IDLE_SECONDS):
            reading.close()
            self._wake.wait()

    def _work(self, task: Task, reading: ReadingProcess) -> None:
        """Bring one file to its end, or leave it for later."""
        attempts = task.file.attempts + 1
        if attempts > _MOST_ATTEMPTS:
            self._end(task, "failed", detail=task.file.detail or "the server ended each time it worked on it")
            return
        self._set(task, state="working", attempts=attempts)
        try:
            self._index(task, reading)
        except _StoppedError:
            self._set(task, state="queued", attempts=task.file.attempts)
            raise
        except ReadError as error:
            self._end(task, "refused", reason=error.reason.value, detail=error.detail)
        except (WorkError, OSError) as error:
            log.warning("file %d of job %s waits: %s", task.file.ordinal, task.job_id, error)
            self._set(task, state="queued", detail=f"it is tried again: {error}")
            self._stop.wait(min(2.0**attempts, _LONGEST_WAIT_SECONDS))
        except Exception:
            # A fault of ours at one file must not keep the others waiting.
            log.exception("file %d of job %s failed", task.file.ordinal, task.job_id)
            self._end(task, "failed", detail="the server failed at this file: its log says why")

    def _index(self, task: Task, reading: ReadingProcess) -> None:
        path = self._files.where(task)
        if path is None:
            self._end(task, "failed", detail="its content is gone from the data directory: upload it again")
            return
        document = reading.read(path, name=safe_name(task.file.name))
        if document is None:
            raise _StoppedError
        if self._is_known(task, document):
            return
        parts = self._maker.cut(document)
        self._go_on()
        (entry,) = self._maker.entries([parts], self._go_on)
        self._store(task, path, entry)

    def _is_known(self, task: Task, document: Document) -> bool:
        """Whether an upload holds the same document: then the file is done, without being embedded."""
        if task.file.path is not None:
            return False
        with self._lock:
            holders = self._catalogue.files_of(self._live(), document.id)
            twin = next((file for file in holders if file.folder == self.folder), None)
            if twin is None:
                return False
            self._set(task, state="duplicate", document_id=document.id, detail=_same_as(twin))
        self._files.drop(task)
        return True

    def _store(self, task: Task, path: Path, entry: Entry) -> None:
        """Place the file, then commit the document and the task's end together."""
        size, digest = file_hash(path)
        with self._lock:
            name = self._files.name_for(task)
            # Noted first: whatever ends the process after the move, the file is found again.
            self._set(task, path=name)
            self._files.place(task, name)
            record = FileRecord(folder=self.folder, path=name, sha256=digest, size=size)
            with self._catalogue.transaction(self._live()) as changes:
                changes.add(replace(entry, document=replace(entry.document, path=name)), file=record)
                state, detail = self._outcome(changes, record, entry.document.id)
                changes.set_job_file(
                    task.job_id,
                    task.file.ordinal,
                    state=state,
                    document_id=entry.document.id,
                    detail=detail,
                    path=name,
                )
            clear_doomed(self._catalogue)
        self._files.drop(task)

    def _outcome(self, changes: Transaction, mine: FileRecord, document_id: str) -> tuple[FileState, str]:
        """What became of a file that was added; a second upload of one document is not kept."""
        owner, *others = changes.files_of(document_id)
        if (owner.folder, owner.path) == (mine.folder, mine.path):
            return "indexed", ""
        uploads = [file for file in (owner, *others) if file.folder == self.folder and file.path != mine.path]
        if uploads:
            changes.remove_file(mine.folder, mine.path)
            changes.doom_file(mine.folder, mine.path)
        return "duplicate", _same_as(owner)

    def _end(self, task: Task, state: FileState, *, detail: str, reason: str | None = None) -> None:
        """Note that a file becomes no document, and remove it."""
        with self._lock:
            with self._catalogue.transaction(self._live()) as changes:
                if task.file.path is not None and not self._files.is_staged(task):
                    changes.remove_file(self.folder, task.file.path)
                    changes.doom_file(self.folder, task.file.path)
                changes.set_job_file(
                    task.job_id, task.file.ordinal, state=state, reason=reason, detail=detail
                )
            clear_doomed(self._catalogue)
        self._files.drop(task)

    def _set(self, task: Task, **values: object) -> None:
        self._catalogue.jobs.set_file(task.job_id, task.file.ordinal, **values)

    def _go_on(self, *_: int) -> None:
        """Called while something takes long: ends it when the work is to stop."""
        if self._stop.is_set():
            raise _StoppedError

    def _live(self) -> Generation:
        live = self._catalogue.live()
        if live is None:
            raise IndexMissing(f"nothing is indexed in {self._settings.data_dir}: run `rag index`")
        return live


class _StoppedError(Exception):
    """The work is to stop."""


def _same_as(file: FileRecord) -> str:
    return f"has the same content as {file.path}"
