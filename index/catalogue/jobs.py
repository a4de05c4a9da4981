"""Upload jobs and what is left to be removed: what was acknowledged outlives the process that did so.

A job is a set of files that came together. Its rows are written in one transaction after the files are on the disk,
and a file's outcome in the same transaction as the document it became.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, insert, select, update

from index.catalogue.schema import doomed_files, job_files, jobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from index.catalogue.database import Database

FileState = Literal["queued", "working", "indexed", "duplicate", "refused", "failed"]
"""`refused`: the file cannot become a document. `failed`: the server could not do the work."""

JobState = Literal["queued", "working", "done"]

WAITING: tuple[FileState, ...] = ("queued", "working")
"""The states of a file that still has work before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """One file of a job. `name` is the client's, `size` in bytes.

    `document_id` is set for `indexed` and `duplicate`, `reason` (see `SkipReason`) and `detail` for `refused`.
    `path` is its name in the folder of uploads once it has one; `attempts` counts how often work on it began.
    """

    ordinal: int
    name: str
    size: int
    state: FileState = "queued"
    document_id: str | None = None
    reason: str | None = None
    detail: str = ""
    path: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Files that were uploaded together, in their order. Times are ISO 8601, UTC."""

    id: str
    created: str
    finished: str | None
    files: tuple[JobFile, ...]

    @property
    def state(self) -> JobState:
        """`queued` until work on its first file begins, `done` when no file has work before it."""
        states = {file.state for file in self.files}
        if not states & set(WAITING):
            return "done"
        return "queued" if states == {"queued"} else "working"


@dataclass(frozen=True, slots=True)
class Task:
    """The next file to work on."""

    job_id: str
    file: JobFile


class Jobs:
    """The jobs of a catalogue. Safe to share between threads; every change is durable when its call returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, job_id: str, files: Sequence[JobFile]) -> Job:
        """Store a job; files that are refused already stay so."""
        created = _now()
        finished = None if any(file.state in WAITING for file in files) else created
        with self._database.write() as connection:
            connection.execute(insert(jobs).values(id=job_id, created=created, finished=finished))
            connection.execute(insert(job_files), [{"job_id": job_id, **_values(file)} for file in files])
        return Job(id=job_id, created=created, finished=finished, files=tuple(files))

    def get(self, job_id: str) -> Job | None:
        """Return a job, None when there is none (any more)."""
        return next(iter(self._select(jobs.c.id == job_id, limit=1)), None)

    def latest(self, limit: int) -> list[Job]:
        """Return at most `limit` jobs, the newest first."""
        return self._select(jobs.c.id.is_not(None), limit=limit)

    def waiting(self) -> int:
        """Return how many files have work before them."""
        query = select(func.count()).select_from(job_files).where(job_files.c.state.in_(WAITING))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def next_task(self) -> Task | None:
        """Return the first waiting file of the oldest job that has one."""
        query = (
            select(job_files)
            .join(jobs, jobs.c.id == job_files.c.job_id)
            .where(job_files.c.state.in_(WAITING))
            .order_by(jobs.c.number, job_files.c.ordinal)
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Task(row["job_id"], _file(row))

    def set_file(self, job_id: str, ordinal: int, **values: object) -> None:
        """Change a file of a job; the job is finished when it was the last one with work before it."""
        with self._database.write() as connection:
            set_file(connection, job_id, ordinal, **values)

    def prune(self, keep: int) -> None:
        """Forget finished jobs beyond the latest `keep` of them."""
        old = (
            select(jobs.c.id).where(jobs.c.finished.is_not(None)).order_by(jobs.c.number.desc()).offset(keep)
        )
        with self._database.write() as connection:
            ids = list(connection.execute(old).scalars())
            connection.execute(delete(job_files).where(job_files.c.job_id.in_(ids)))
            connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))

    # -- files of deleted documents

    def doomed(self) -> list[tuple[str, str]]:
        """Return (folder, path) of the files whose document was deleted and that are still to be removed."""
        with self._database.read() as connection:
            return [(row.folder, row.path) for row in connection.execute(select(doomed_files))]

    def forget_doomed(self, folder: str, path: str) -> None:
        """Note that such a file is gone."""
        with self._database.write() as connection:
            connection.execute(
                delete(doomed_files).where(doomed_files.c.folder == folder, doomed_files.c.path == path)
            )

    # -- parts

    def _select(self, condition: object, *, limit: int) -> list[Job]:
        chosen = select(jobs).where(condition).order_by(jobs.c.number.desc()).limit(limit)  # type: ignore[arg-type]
        with self._database.read() as connection:
            found = connection.execute(chosen).mappings().all()
            ids = [row["id"] for row in found]
            rows = connection.execute(
                select(job_files).where(job_files.c.job_id.in_(ids)).order_by(job_files.c.ordinal)
            ).mappings()
            files: dict[str, list[JobFile]] = {key: [] for key in ids}
            for row in rows:
                files[row["job_id"]].append(_file(row))
        return [
            Job(
                id=row["id"],
                created=row["created"],
                finished=row["finished"],
                files=tuple(files[row["id"]]),
            )
            for row in found
        ]


def set_file(connection: Connection, job_id: str, ordinal: int, **values: object) -> None:
    """Change a file of a job inside a transaction; see `Jobs.set_file`."""
    mine = job_files.c.job_id == job_id
    connection.execute(update(job_files).where(mine, job_files.c.ordinal == ordinal).values(**values))
    left = select(job_files.c.ordinal).where(mine, job_files.c.state.in_(WAITING)).limit(1)
    if connection.execute(left).first() is None:
        connection.execute(
            update(jobs).where(jobs.c.id == job_id, jobs.c.finished.is_(None)).values(finished=_now())
        )


def _values(file: JobFile) -> dict[str, object]:
    return {name: getattr(file, name) for name in JobFile.__slots__}


def _file(row: object) -> JobFile:
    values = dict(row)  # type: ignore[call-overload]
    del values["job_id"]
    return JobFile(**values)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
