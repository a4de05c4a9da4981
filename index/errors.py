"""Every error this project raises on purpose.

    PolyciteError
    ├── UsageError            you called it wrongly: exit code 2
    │   ├── SettingsError     a setting is unknown or out of range
    │   └── DocumentKept      a document is not the uploads' to delete
    └── WorkError             the world failed: exit code 1
        ├── ReadError         one file cannot be read; the others go on
        ├── ModelError        the embedding model cannot be made or loaded
        ├── IntakeFull        so many uploads wait that no more are taken
        └── IndexStateError   the stored index cannot serve this request
            ├── IndexMissing  nothing is indexed yet
            ├── IndexMismatch the index was made by another embedder or chunker
            ├── IndexDamaged  a stored file is torn or unreadable
            ├── IndexBusy     another process owns the data directory, or has the turn to write
            └── IndexUnreachable  a server that holds the index does not answer

An error's text is one line: what is wrong, then what to do about it. Errors of libraries are
turned into these in the file that owns the library, with the cause kept.
"""

from __future__ import annotations

from enum import StrEnum


class PolyciteError(Exception):
    """Base of every error raised on purpose; `str(error)` is one line for a person."""


class UsageError(PolyciteError):
    """The call was wrong: a value out of range, an unknown name, a missing argument."""


class SettingsError(UsageError):
    """A setting is unknown, malformed or out of range."""


class DocumentKept(UsageError):
    """The document lies in a folder that is not the uploads', so it cannot be deleted here."""


class WorkError(PolyciteError):
    """The call was right and the work failed."""


class SkipReason(StrEnum):
    """Why a file is not in the index. The value is stable and appears in reports."""

    EMPTY = "empty"
    BINARY = "binary"
    ENCRYPTED = "encrypted"
    TOO_LARGE = "too_large"
    GARBLED = "garbled"
    BROKEN = "broken"
    UNSUPPORTED = "unsupported"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"


class ReadError(WorkError):
    """One file cannot become a document.

    Args:
        reason: the stable reason, for reports and tests.
        detail: one sentence for a person: what was seen and what to do.
    """

    def __init__(self, reason: SkipReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class ModelError(WorkError):
    """The embedding model cannot be found, rebuilt or loaded."""


class IntakeFull(WorkError):
    """So many uploaded files wait for their turn that no more are taken now."""


class IndexStateError(WorkError):
    """The stored index cannot serve this request as it is."""


class IndexMissing(IndexStateError):
    """Nothing is indexed yet."""


class IndexMismatch(IndexStateError):
    """The index was made with another embedder, normaliser or chunker than the one configured."""


class IndexDamaged(IndexStateError):
    """A stored file is torn, unreadable or fails its check."""


class IndexBusy(IndexStateError):
    """Another process owns the data directory, or has the turn to write."""


class IndexUnreachable(IndexStateError):
    """A server that holds the index does not answer; once it does, so does the next question."""
