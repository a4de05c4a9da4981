"""Indexes what was uploaded, one file after the other.

Of the processes that share a catalogue one has the turn to work off the uploads of all; when it ends, another takes it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from index.catalogue import (
    WAITING,
    Catalogue,
    Entry,
    FileRecord,
    FileState,
    Generation,
    Task,
    Transaction,
)
from index.corpus import mismatch
from index.entries import EntryMaker
from index.errors import (
    IndexBusy,
    IndexMismatch,
    IndexMissing,
    IndexUnreachable,
    ReadError,
    WorkError,
)
from index.reading_process import ReadingProcess
from index.settings import IndexSettings
from index.types import Document
from index.upkeep import refresh_vectors
from index.upload_names import safe_name
from index.uploads import CANCELLED, UploadFiles, clear_doomed, file_hash

if TYPE_CHECKING:
    from index.catalogue.database import Hold

log = logging.getLogger(__name__)

JOBS_KEPT = 200
"""Finished jobs that can still be asked for."""

# A file that meets a full disk is tried again so often, after waits that grow; one whose work no server outlived, only
# so often. Chosen: a server that is killed for another reason so often in a row gives nobody answers either.
_MOST_ATTEMPTS = 20
_MOST_DEATHS = 5
_LONGEST_WAIT_SECONDS = 60.0
# The vectors for search are looked after when nothing waits, and after so many files.
_FILES_BETWEEN_UPKEEP = 200
# Where processes share a catalogue: how often one looks for uploads that others took, or for the turn of one that
# ended, and how long it waits for a turn to write.
_POLL_SECONDS = 2.0
_TURN_SECONDS = 10.0
_PURPOSE = "rag serve"
# The process that reads files takes a second to start; without work for so long it gives its memory back.
_IDLE_SECONDS = 60.0


class UploadWorker:
    """The work of one thread, which calls `run`; the other methods may be called from any."""

    def __init__(
        self, settings: IndexSettings, catalogue: Catalogue, files: UploadFiles, maker: EntryMaker
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._files = files
        self._maker = maker
        self._lock = threading.Lock()  # around every change of uploads and the documents they became
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._at: tuple[str, int] | None = None  # the file that is worked on, or was last
        self._unwanted = threading.Event()  # it was cancelled meanwhile

    @property
    def _folder(self) -> str:
        return str(self._files.folder)

    def wake(self) -> None:
        """Say that there is something to do."""
        self._wake.set()

    def stop(self) -> None:
        """End `run`, in the middle of a file too: that is taken up again."""
        self._stop.set()
        self._wake.set()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Nobody else changes the corpus within the block."""
        with self._lock, self._catalogue.turn("writer", purpose=_PURPOSE, wait=_TURN_SECONDS):
            yield

    def cancel(self, job_id: str, ordinals: Collection[int]) -> None:
        """End those files of a job that are no documents yet, the one that is worked on too.

        Raises:
            IndexBusy: another process is changing the corpus; the files go on.
            WorkError: the catalogue cannot be written; the files go on.
        """
        with self.changing():
            job = self._catalogue.jobs.get(job_id)
            files = [] if job is None else [file for file in job.files if file.ordinal in ordinals]
            tasks = [Task(job_id, file) for file in files if file.state in WAITING]
            if not tasks:
                return
            self._ended(tasks, "refused", reason=CANCELLED, detail="it was cancelled before it was indexed")
            # From here on nothing makes a document of them: `_store` asks for their state, with this lock.
            if self._at in {(job_id, task.file.ordinal) for task in tasks}:
                self._unwanted.set()
        for task in tasks:
            self._files.drop(task)
        self.wake()

    def live(self) -> Generation:
        """Return the live generation.

        Raises:
            IndexMissing: nothing is indexed.
        """
        live = self._catalogue.live()
        if live is None:
            raise IndexMissing(f"nothing is indexed in {self._catalogue.where}: run `rag index`")
        return live

    def _fitting(self) -> Generation:
        """The live generation, when it was made as this process makes entries."""
        live = self.live()
        if live.manifest != self._maker.manifest:
            raise IndexMismatch(mismatch(live.manifest, self._maker.manifest))
        return live

    def run(self) -> None:
        """Work until `stop`."""
        with ReadingProcess(
            self._settings, stopped=lambda: self._stop.is_set() or self._unwanted.is_set()
        ) as reading:
            while not self._stop.is_set():
                try:
                    with self._catalogue.turn("uploads", purpose=_PURPOSE, wait=0) as turn:
                        self._work_off(reading, turn)
                except _StoppedError:
                    return
                except IndexBusy:  # another process works them off
                    self._stop.wait(_POLL_SECONDS)
                except IndexUnreachable as error:
                    log.warning("uploads wait: %s", error)
                    self._stop.wait(_POLL_SECONDS)
                except IndexMismatch as error:
                    log.warning("uploads wait: %s", error)
                    self._stop.wait(_LONGEST_WAIT_SECONDS)
                except Exception:
                    # Of the catalogue or the disk: the thread must live on, what waits is safe.
                    log.exception("uploads wait for %g seconds", _LONGEST_WAIT_SECONDS)
                    self._stop.wait(_LONGEST_WAIT_SECONDS)

    def _work_off(self, reading: ReadingProcess, turn: Hold) -> None:
        """Work off what waits, and wait for more, as long as this process has the turn."""
        done = 0
        while not self._stop.is_set() and turn.held():
            self._wake.clear()
            task = self._catalogue.jobs.next_task()
            if task is not None:
                self._fitting()
                self._work(task, reading)
                done += 1
            if task is None or done % _FILES_BETWEEN_UPKEEP == 0:
                self._catalogue.jobs.prune(JOBS_KEPT)
                refresh_vectors(self._settings, self._catalogue, writing=self._go_on, serving=True)
            if task is None:
                self._await(reading, turn)

    def _await(self, reading: ReadingProcess, turn: Hold) -> None:
        """Wait until something is to be done, or the turn is lost."""
        idle = time.monotonic()
        step = _POLL_SECONDS if self._catalogue.shared else _IDLE_SECONDS
        while not self._wake.wait(step):
            if time.monotonic() - idle >= _IDLE_SECONDS:
                reading.close()
                if not self._catalogue.shared:
                    self._wake.wait()
                    return
            if not turn.held() or self._catalogue.jobs.next_task() is not None:
                return

    def _work(self, task: Task, reading: ReadingProcess) -> None:
        """Bring one file to its end, or leave it for later."""
        attempts = task.file.attempts + 1
        # What was put back says why; what was not is still being worked on when its server is gone.
        if attempts > (_MOST_ATTEMPTS if task.file.detail else _MOST_DEATHS):
            ended = f"the server ended each of the {task.file.attempts} times it worked on it; split it"
            self._end(task, "failed", detail=task.file.detail or ended)
            return
        if not self._begun(task, attempts):
            return
        try:
            self._index(task, reading)
        except _CancelledError:
            return
        except _StoppedError:
            self._put_back(task, attempts=task.file.attempts)
            raise
        except ReadError as error:
            self._end(task, "refused", reason=error.reason.value, detail=error.detail)
        except (IndexBusy, IndexMismatch) as error:  # no fault of the file's: it is not counted
            if self._put_back(task, attempts=task.file.attempts):
                log.warning("file %d of job %s waits: %s", task.file.ordinal, task.job_id, error)
                self._stop.wait(_POLL_SECONDS)
        except IndexUnreachable:
            raise
        except (WorkError, OSError) as error:
            if self._put_back(task, detail=f"it is tried again: {error}"):
                log.warning("file %d of job %s waits: %s", task.file.ordinal, task.job_id, error)
                self._stop.wait(min(2.0**attempts, _LONGEST_WAIT_SECONDS))
        except Exception:
            # A fault of ours at one file must not keep the others waiting.
            log.exception("file %d of job %s failed", task.file.ordinal, task.job_id)
            self._end(task, "failed", detail="the server failed at this file: its log says why")

    def _index(self, task: Task, reading: ReadingProcess) -> None:
        path = self._files.where(task)
        if path is None:
            task = self._found_again(task)
            path = self._files.where(task)
        if path is None:
            if self._waits(task):
                self._end(
                    task, "failed", detail="its content is gone from the data directory: upload it again"
                )
            return
        document = reading.read(path, name=safe_name(task.file.name))
        if document is None:
            self._go_on_with_file()
            raise _StoppedError
        if self._is_known(task, document):
            return
        parts = self._maker.cut_apart(reading, self._go_on_with_file)
        self._go_on_with_file()
        if parts is None:
            raise _StoppedError
        (entry,) = self._maker.entries([parts], self._go_on_with_file)
        self._store(task, path, entry)

    def _found_again(self, task: Task) -> Task:
        """A task whose file is not where it was staged, as in a copy of a folder that was in use: perhaps it was placed
        meanwhile. Where it is indexed by now, the task is done."""
        known = {
            file.path: file for file in self._catalogue.files(self.live()) if file.folder == self._folder
        }
        found = self._files.found_again(task)
        new = next((name for name in found if name not in known), None)
        with self.changing():
            if new is not None and self._waits(task):
                self._set(task, path=new)
                return Task(task.job_id, replace(task.file, path=new))
            twin = next((known[name] for name in found if known[name].document_id is not None), None)
            if twin is not None and self._waits(task):
                self._set(task, state="duplicate", document_id=twin.document_id, detail=_same_as(twin))
        return task

    def _is_known(self, task: Task, document: Document) -> bool:
        """Whether an upload holds the same document: then the file is done, without being embedded."""
        if task.file.path is not None:
            return False
        with self.changing():
            if not self._waits(task):
                return True  # cancelled
            holders = self._catalogue.files_of(self.live(), document.id)
            twin = next((file for file in holders if file.folder == self._folder), None)
            if twin is None:
                return False
            self._set(task, state="duplicate", document_id=document.id, detail=_same_as(twin))
        self._files.drop(task)
        return True

    def _store(self, task: Task, path: Path, entry: Entry) -> None:
        """Place the file, then commit the document and the task's end together."""
        size, digest = file_hash(path)
        with self.changing():
            if not self._waits(task):
                return  # cancelled, or the turn was lost meanwhile, and another process did it
            name = self._files.name_for(task)
            # Noted first: whatever ends the process after the move, the file is found again.
            self._set(task, path=name)
            self._files.place(task, name)
            record = FileRecord(
                folder=self._folder,
                path=name,
                sha256=digest,
                size=size,
                detail=entry.document.notice,
            )
            with self._catalogue.transaction(self._fitting()) as changes:
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
            return "indexed", mine.detail
        uploads = [
            file for file in (owner, *others) if file.folder == self._folder and file.path != mine.path
        ]
        if uploads:
            changes.remove_file(mine.folder, mine.path)
            changes.doom_file(mine.folder, mine.path)
        return "duplicate", _same_as(owner)

    def _end(self, task: Task, state: FileState, *, detail: str, reason: str | None = None) -> None:
        """Note that a file becomes no document, and remove it."""
        with self.changing():
            if not self._waits(task):
                return  # cancelled
            self._ended([task], state, reason=reason, detail=detail)
        self._files.drop(task)

    def _ended(
        self, tasks: Collection[Task], state: FileState, *, detail: str, reason: str | None = None
    ) -> None:
        """Note it of several files, in one transaction; inside `changing`."""
        with self._catalogue.transaction(self.live()) as changes:
            for task in tasks:
                if task.file.path is not None and not self._files.is_staged(task):
                    changes.remove_file(self._folder, task.file.path)
                    changes.doom_file(self._folder, task.file.path)
                changes.set_job_file(
                    task.job_id, task.file.ordinal, state=state, reason=reason, detail=detail
                )
        clear_doomed(self._catalogue)

    def _begun(self, task: Task, attempts: int) -> bool:
        """Note that work on a file begins, unless it was cancelled since it was looked up."""
        with self.changing():
            if not self._waits(task):
                return False
            self._at = (task.job_id, task.file.ordinal)
            self._unwanted.clear()
            self._set(task, state="working", attempts=attempts)
            return True

    def _put_back(self, task: Task, **values: object) -> bool:
        """Note that a file waits again, unless it was cancelled meanwhile."""
        with self._lock:  # without the turn to write, which may be what could not be had
            waits = self._waits(task)
            if waits:
                self._set(task, state="queued", **values)
            return waits

    def _set(self, task: Task, **values: object) -> None:
        self._catalogue.jobs.set_file(task.job_id, task.file.ordinal, **values)

    def _waits(self, task: Task) -> bool:
        """Whether a file still has work before it."""
        job = self._catalogue.jobs.get(task.job_id)
        return job is not None and job.files[task.file.ordinal].state in WAITING

    def _go_on(self, *_: int) -> None:
        """Called while something takes long: ends it when the work is to stop."""
        if self._stop.is_set():
            raise _StoppedError

    def _go_on_with_file(self, *_: int) -> None:
        """As `_go_on`, and when the file that is worked on was cancelled."""
        self._go_on()
        if self._unwanted.is_set():
            raise _CancelledError


class _StoppedError(Exception):
    """The work is to stop."""


class _CancelledError(Exception):
    """The file that is worked on is wanted no more."""


def _same_as(file: FileRecord) -> str:
    return f"has the same content as {file.path}"
