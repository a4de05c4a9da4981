"""One process owns a data directory.

The lock is the operating system's, on `owner.lock`: it ends with its process, however that ends.
`owner.json` beside it says who the owner is; it counts only while the lock is held, so what a killed process
left blocks nobody.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import filelock

from index.errors import IndexBusy, WorkError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# To see who holds the lock, `owner` takes it for an instant; that long a holder is no owner yet.
_GLANCE_SECONDS = 0.1

LOCK_NAME = "owner.lock"
CARD_NAME = "owner.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a data directory. `address` is where it serves, None when it does not."""

    pid: int
    purpose: str
    address: str | None = None

    def __str__(self) -> str:
        where = f" at {self.address}" if self.address else ""
        return f"`{self.purpose}` (pid {self.pid}){where}"


class Ownership:
    """A data directory that this process holds; see `own`."""

    def __init__(self, data_dir: Path, *, purpose: str) -> None:
        self._data_dir = data_dir
        self._purpose = purpose

    def announce(self, address: str) -> None:
        """Leave the address at which other commands reach this process.

        Raises:
            WorkError: the directory cannot be written.
        """
        _leave(self._data_dir, Owner(os.getpid(), self._purpose, address))


@contextmanager
def own(data_dir: Path, *, purpose: str, address: str | None = None) -> Iterator[Ownership]:
    """Hold a data directory for the length of a block; it is made (mode 0700) when it is missing.

    Args:
        data_dir: the directory.
        purpose: the command, as a person would type it: "rag serve".
        address: where this process serves, when it is known already; else see `Ownership.announce`.

    Raises:
        IndexBusy: another process, or another block of this one, holds it; that is told within 0.1 s.
        WorkError: the directory cannot be made or written.
    """
    lock = _lock(data_dir)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout as error:
        raise IndexBusy(_busy(data_dir)) from error
    except (OSError, NotImplementedError) as error:
        raise WorkError(
            f"the data directory {data_dir} cannot be used ({error}): "
            "make it writable for this user, or set RAG_DATA_DIR to a folder that is"
        ) from error
    try:
        _leave(data_dir, Owner(os.getpid(), purpose, address))
        yield Ownership(data_dir, purpose=purpose)
    finally:
        (data_dir / CARD_NAME).unlink(missing_ok=True)
        lock.release()


def owner(data_dir: Path) -> Owner | None:
    """Return who holds a data directory now, None when nobody does."""
    if not (data_dir / LOCK_NAME).is_file():
        return None
    lock = _lock(data_dir)
    try:
        lock.acquire()
    except filelock.Timeout:
        return _card(data_dir) or Owner(0, "another command")
    except (OSError, NotImplementedError):
        # Who may not open the lock learns no more than what the owner left.
        return _card(data_dir)
    lock.release()
    return None


def owner_address(data_dir: Path) -> str | None:
    """Return where the owner of a data directory serves, None when nobody holds it or it does not serve."""
    found = owner(data_dir)
    return None if found is None else found.address


def _lock(data_dir: Path) -> filelock.BaseFileLock:
    # Neither a singleton nor per thread: a second `own` in this process is refused like any other.
    return filelock.FileLock(
        data_dir / LOCK_NAME,
        timeout=_GLANCE_SECONDS,
        poll_interval=_GLANCE_SECONDS / 10,
        is_singleton=False,
        thread_local=False,
    )


def _busy(data_dir: Path) -> str:
    found = _card(data_dir)
    if found is None:
        return f"the data directory {data_dir} is in use by another command: wait for it or stop it"
    remedy = "use it through that address or stop it" if found.address else "wait for it or stop it"
    return f"the data directory {data_dir} is in use by {found}: {remedy}"


def _card(data_dir: Path) -> Owner | None:
    try:
        return Owner(**json.loads((data_dir / CARD_NAME).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _leave(data_dir: Path, who: Owner) -> None:
    """Write the card in one step: a reader sees the old one or the new one."""
    draft = data_dir / f"{CARD_NAME}.tmp"
    try:
        draft.write_text(json.dumps(asdict(who)), "utf-8")
        draft.replace(data_dir / CARD_NAME)
    except OSError as error:
        raise WorkError(
            f"{data_dir} cannot be written ({error.strerror}): check the disk and its rights"
        ) from error
