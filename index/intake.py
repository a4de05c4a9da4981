"""Documents that come while questions are answered: taken in, indexed one after the other, deleted.

`submit` returns once the files and their job are on the disk; from then on nothing that ends the process loses them.
The worker (see `upload_worker`) alone and `delete` write, in turn: a document, its file's place and its job's state
change in one transaction. Readers see each document whole or not at all.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Self

from index.catalogue import Catalogue, Job
from index.embedder import Embedder
from index.entries import EntryMaker
from index.errors import DocumentKept, IntakeFull, UsageError
from index.settings import IndexSettings
from index.upload_worker import UploadWorker
from index.uploads import Source, UploadFiles, agree_on_folder, clear_doomed, clear_leftovers

log = logging.getLogger(__name__)

# Whatever is worked on looks every 0.2 s whether it is to stop, but for a commit: that is taken back, as by a kill.
_STOP_SECONDS = 2.0


class Intake:
    """Uploads and deletions of a corpus whose data directory the caller owns. Safe to share between threads.

    Args:
        settings: where the data lies, and the limits.
        embedder: the one that made the index.

    Raises:
        IndexMissing: nothing is indexed.
        SettingsError: the uploads of a shared catalogue lie in another folder.
        WorkError: the data directory cannot be written.
    """

    def __init__(self, settings: IndexSettings, embedder: Embedder) -> None:
        self._settings = settings
        self._catalogue = Catalogue.configured(settings, create=True)
        self._files = UploadFiles(settings)
        self._worker = UploadWorker(settings, self._catalogue, self._files, EntryMaker(embedder, settings))
        self._coming_lock = threading.Lock()
        self._coming = 0  # files that are being staged
        try:
            self._worker.live()
            agree_on_folder(self._catalogue, settings, taking=True)
            clear_doomed(self._catalogue)
            clear_leftovers(self._files, self._catalogue)
        except BaseException:
            self._catalogue.close()
            raise
        self._end_lock = threading.Lock()
        self._working = True  # until the thread ends
        self._left = False  # the catalogue, to the thread that outlives `close`
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin to stop, without waiting; `close` waits."""
        self._worker.stop()

    def close(self) -> None:
        """Stop the work; what is not done is taken up again by the next `Intake` of the data directory."""
        self.stop()
        self._thread.join(_STOP_SECONDS)
        with self._end_lock:
            self._left = self._working
        if self._left:
            log.warning("a large document is still being stored: it is taken up again at the next start")
        else:
            self._catalogue.close()

    def _work(self) -> None:
        try:
            self._worker.run()
        finally:
            with self._end_lock:
                self._working = False
            if self._left:
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
        self._worker.wake()
        return job

    def job(self, job_id: str) -> Job | None:
        """Return a job, None when there is none; the latest finished ones are kept."""
        return self._catalogue.jobs.get(job_id)

    def jobs(self, *, limit: int = 50) -> list[Job]:
        """Return at most `limit` jobs, the newest first."""
        return self._catalogue.jobs.latest(limit)

    def cancel(self, job_id: str, *, files: Collection[int] | None = None) -> Job | None:
        """Give up the files of a job that are no documents yet; the one that is worked on is stopped.

        When this returns, nothing becomes a document of them any more: they are refused with the reason `CANCELLED`,
        and gone from the disk. What is indexed already stays. Returns the job as it is then, None when there is none.

        Args:
            job_id: the job.
            files: the places of these files in the job, from 0; None: all.

        Raises:
            UsageError: the job has no such file.
            IndexBusy: another process is changing the corpus; the files go on.
            WorkError: the catalogue cannot be written; the files go on.
        """
        job = self._catalogue.jobs.get(job_id)
        if job is None:
            return None
        known = {file.ordinal for file in job.files}
        unknown = set(files or ()) - known
        if unknown:
            raise UsageError(f"the upload has {len(known)} files and none at {min(unknown)}: count from 0")
        self._worker.cancel(job_id, known if files is None else set(files))
        return self._catalogue.jobs.get(job_id)

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
            IndexBusy: another process is changing the corpus; the document is there as before.
            WorkError: the catalogue cannot be written; the document is there as before.
        """
        with self._worker.changing():
            live = self._worker.live()
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
        self._worker.wake()
        return True
