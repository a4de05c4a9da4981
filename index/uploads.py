"""The files of uploads: staged when they come, placed in the folder `uploads` once they are documents.

    incoming/<job>/<ordinal>    what was acknowledged and waits for its turn
    incoming/<job>/files.json   their names, once all of them are there: the job, should the catalogue be lost
    uploads/<name>              what `rag index` finds beside the shipped documents

Both lie in the data directory, or, where processes share a catalogue, in a folder that they share. Every file is on
the disk, directory entry included, before anything is said about it. Names inside come from `index.upload_names`, so
nothing outside these two folders is ever written.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from index.catalogue import WAITING, Catalogue, Job, JobFile, Task
from index.errors import SettingsError, SkipReason, UsageError, WorkError
from index.normalise import visible
from index.settings import IndexSettings
from index.upload_names import free_name, safe_name

log = logging.getLogger(__name__)

UPLOADS = "uploads"
INCOMING = "incoming"
CANCELLED = "cancelled"
"""The reason of a refused file whose sender wanted it no more."""

Source = BinaryIO | Path
"""Where an uploaded file comes from: open for reading bytes, or a path."""

_NAMES = "files.json"
# What `free_name` puts behind a name that is taken.
_NUMBERED = re.compile(r" \(\d+\)(?=\.|$)")
_BLOCK = 1 << 20
_LONGEST_SHOWN = 1000
_NOTE = "folder of uploads"
_STAGING_SECONDS = 3600.0  # a job of files on a slow line is staged in less
# Below this the catalogue itself would soon have no room.
_SPARE_BYTES = 200_000_000


def upload_folder(settings: IndexSettings) -> Path:
    """Return the folder in which uploaded documents lie, there or not."""
    return (_home(settings) / UPLOADS).resolve()


def takes_uploads(settings: IndexSettings) -> bool:
    """Whether uploads can be taken: with a shared catalogue, only where their files are shared too."""
    return settings.database_url is None or settings.shared_dir is not None


def agree_on_folder(catalogue: Catalogue, settings: IndexSettings, *, taking: bool = False) -> None:
    """Refuse to work on a shared catalogue whose uploads lie in another folder than here.

    Such a process would not find the files, and `rag index` would take their documents for deleted.

    Args:
        catalogue: nothing is asked of one that is not shared.
        settings: those of this process.
        taking: uploads are to be taken: the first process that does says where they lie.

    Raises:
        SettingsError: they lie elsewhere.
    """
    if not catalogue.shared:
        return
    mine = str(upload_folder(settings)) if settings.shared_dir is not None else None
    known = catalogue.note(_NOTE)
    if known is None and mine is not None and taking:
        known = catalogue.change_note(_NOTE, lambda before: before or mine)
    if known is not None and known != mine:
        raise SettingsError(
            f"the uploads of {catalogue.where} lie in {known}: set RAG_SHARED_DIR={Path(known).parent} here too"
        )


def _home(settings: IndexSettings) -> Path:
    return settings.data_dir if settings.shared_dir is None else settings.shared_dir


class UploadFiles:
    """The two folders. Of one job, one thread of one process at a time calls."""

    def __init__(self, settings: IndexSettings) -> None:
        self._home = _home(settings)
        self.folder = upload_folder(settings)
        self._incoming = self._home / INCOMING

    # -- coming in

    def stage(self, job_id: str, given: Sequence[tuple[str, Source]], *, max_bytes: int) -> list[JobFile]:
        """Copy files to where they wait; the ones that are too large are refused at once, without a copy.

        Raises:
            UsageError: a path is no file.
            WorkError: the disk is full or cannot be written; nothing is left then.
        """
        folder = self._incoming / job_id
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            if shutil.disk_usage(self._home).free < _SPARE_BYTES:
                raise WorkError(f"the disk that holds {self._home} is nearly full: free some space")
            self._incoming.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700)
            files = [
                _staged(source, folder / str(i), ordinal=i, name=name, max_bytes=max_bytes)
                for i, (name, source) in enumerate(given)
            ]
            _note_files(folder / _NAMES, files)
            for path in (folder, self._incoming, self._home):
                sync_directory(path)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise WorkError(
                f"the uploaded files cannot be stored in {self._incoming} ({error.strerror}): "
                "check the disk and its rights"
            ) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return files

    def drop_job(self, job_id: str) -> None:
        """Remove what was staged for a job."""
        shutil.rmtree(self._incoming / job_id, ignore_errors=True)

    def drop(self, task: Task) -> None:
        """Remove the staged file of a task that is done, and the folder of its job when that is empty."""
        self._staged(task).unlink(missing_ok=True)
        folder = self._incoming / task.job_id
        if folder.is_dir() and {path.name for path in folder.iterdir()} <= {_NAMES}:
            self.drop_job(task.job_id)

    def staged_jobs(self, *, older_than: float = 0.0) -> list[str]:
        """Return the ids of jobs for which something was staged so many seconds ago, acknowledged or not."""
        latest = time.time() - older_than
        found = self._incoming.iterdir() if self._incoming.is_dir() else ()
        return sorted(path.name for path in found if older_than == 0 or path.stat().st_mtime < latest)

    def staged_files(self, job_id: str) -> list[JobFile] | None:
        """Return the files of a job as they came, None when not all of them did."""
        try:
            noted = json.loads((self._incoming / job_id / _NAMES).read_text("utf-8"))
            return [JobFile(ordinal=ordinal, name=name, size=size) for ordinal, name, size in noted]
        except (OSError, ValueError, TypeError):
            return None

    # -- going on

    def bring_back(self, job_id: str, file: JobFile) -> None:
        """Place a document's file again that lies where it was staged, as in a copy of a folder that was in use."""
        task = Task(job_id, file)
        if file.state == "indexed" and file.path is not None and not (self.folder / file.path).exists():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self.place(task, file.path)

    def found_again(self, task: Task) -> list[str]:
        """Return the names of placed files that may be the one of a task, by its name and size."""
        wanted = safe_name(task.file.name)
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(
            path.name
            for path in found
            if _NUMBERED.sub("", path.name) == _NUMBERED.sub("", wanted)
            and path.stat().st_size == task.file.size
        )

    def is_staged(self, task: Task) -> bool:
        """Whether the file of a task still waits where it was staged."""
        return self._staged(task).is_file()

    def where(self, task: Task) -> Path | None:
        """Return where the file of a task lies: staged, or placed already; None when it is gone."""
        staged = self._staged(task)
        if staged.is_file():
            return staged
        placed = None if task.file.path is None else self.folder / task.file.path
        return placed if placed is not None and placed.is_file() else None

    def name_for(self, task: Task) -> str:
        """Return the name under which the file of a task is to be placed."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        planned = task.file.path
        if planned is not None and (not self.is_staged(task) or not os.path.lexists(self.folder / planned)):
            return planned
        return free_name(self.folder, safe_name(task.file.name))

    def place(self, task: Task, name: str) -> None:
        """Move the file of a task to its name, which `name_for` gave; nothing happens when it is there already."""
        staged = self._staged(task)
        if staged.is_file():
            staged.rename(self.folder / name)
            for path in (self.folder, self._home):
                sync_directory(path)

    def _staged(self, task: Task) -> Path:
        return self._incoming / task.job_id / str(task.file.ordinal)


def clear_doomed(catalogue: Catalogue) -> None:
    """Remove the files of deleted documents. One that cannot be removed stays noted, and out of the index."""
    for folder, name in catalogue.jobs.doomed():
        path = Path(folder, name)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_directory(path.parent)
        except OSError as error:
            log.warning(
                "a deleted document's file cannot be removed (%s): remove %s yourself", error.strerror, path
            )
        else:
            catalogue.jobs.forget_doomed(folder, name)


def clear_leftovers(files: UploadFiles, catalogue: Catalogue) -> None:
    """Remove what was staged for jobs that were never acknowledged, or are done; take up what the catalogue lacks.

    Where processes share the folder another one may be staging a job just now.
    """
    for job_id in files.staged_jobs(older_than=_STAGING_SECONDS if catalogue.shared else 0.0):
        job: Job | None = catalogue.jobs.get(job_id)
        if job is None:
            noted = files.staged_files(job_id)
            if noted is not None:  # the catalogue is younger: an older one was lost
                catalogue.jobs.add(job_id, noted)
                continue
        elif job.state == "done":
            for file in job.files:
                files.bring_back(job_id, file)
        else:
            continue
        files.drop_job(job_id)


def file_hash(path: Path) -> tuple[int, str]:
    """Return size in bytes and SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return path.stat().st_size, digest


def sync_directory(path: Path) -> None:
    """Make the entries of a directory durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _staged(source: Source, target: Path, *, ordinal: int, name: str, max_bytes: int) -> JobFile:
    if isinstance(source, Path):
        if not source.is_file():
            raise UsageError(f"{source} is not a file: give the files themselves")
        with source.open("rb") as stream:
            size = _copied(stream, target, max_bytes=max_bytes)
    else:
        size = _copied(source, target, max_bytes=max_bytes)
    shown = _shown(name)
    if size <= max_bytes:
        return JobFile(ordinal=ordinal, name=shown, size=size)
    target.unlink()
    return JobFile(
        ordinal=ordinal,
        name=shown,
        size=size,
        state="refused",
        reason=SkipReason.TOO_LARGE.value,
        detail=f"it has more than the {max_bytes / 1e6:g} MB allowed; split it or raise RAG_MAX_FILE_MB",
    )


def _copied(source: BinaryIO, target: Path, *, max_bytes: int) -> int:
    """Copy to a new file and to the disk; stops after the first block beyond `max_bytes`. Returns the bytes."""
    size = 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while size <= max_bytes and (block := source.read(_BLOCK)):
            size += len(block)
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return size


def _note_files(target: Path, files: Sequence[JobFile]) -> None:
    noted = [(file.ordinal, file.name, file.size) for file in files if file.state in WAITING]
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(json.dumps(noted).encode())
        file.flush()
        os.fsync(file.fileno())


def _shown(name: str) -> str:
    """A client's name as it can be stored and sent back."""
    whole = name[:_LONGEST_SHOWN].encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return " ".join(visible(whole).split("\n"))
