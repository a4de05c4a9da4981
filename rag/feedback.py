"""Ratings of answers, as `rag eval --from-feedback` reads them: one JSON object a line, each complete in itself."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Literal

from index.errors import UsageError, WorkError
from rag.answer import Answer, Turn
from rag.asking import Ask

Rating = Literal["up", "down"]

FILE_NAME = "feedback.jsonl"
# All chosen. A reason is a few sentences; a line holds an answer with its citations many times over; the file is for
# people to read; an answer is rated soon after it was given, or not at all.
MAX_REASON_CHARS = 2000
MAX_LINE_BYTES = 500_000
MAX_FILE_BYTES = 200_000_000
MAX_ANSWERS = 1000
MAX_ANSWERS_BYTES = 32_000_000
# Of the turns before a question, the newest that fit. Chosen: a draft case needs no more.
_HISTORY_CHARS = 20_000

# One for all stores: the chat page and the API write the same file.
_writing = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An answer and what it was asked with: all that a rating says beside the rating.

    `answer` is the answer schema of the contract. `from_client` tells an answer that came back with its rating from
    one that the server kept itself. `searched_known`: whether `languages` and `documents` (None: all) are what was
    searched; False where nobody could say.
    """

    answer: Mapping[str, Any]
    history: tuple[Turn, ...] = ()
    languages: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None
    searched_known: bool = True
    from_client: bool = False

    @classmethod
    def of(cls, answer: Answer, ask: Ask) -> Exchange:
        """Return the exchange of an answer and what was asked."""
        return cls(
            answer=answer.to_dict(), history=ask.history, languages=ask.languages, documents=ask.documents
        )


class FeedbackFull(WorkError):
    """The file of ratings has reached its largest size."""


class FeedbackStore:
    """The file of ratings. Safe to share between threads; several stores of one process may share a file."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> None:
        """Use the file at `path`, made with the first rating; it grows to at most `max_bytes`."""
        self.path = path
        self._max_bytes = max_bytes

    def add(self, exchange: Exchange, *, rating: Rating, reason: str | None = None) -> None:
        """Append a rating. When this returns, it is on the disk; when it raises, the file is as it was.

        Raises:
            UsageError: the reason or the answer is too long.
            FeedbackFull: the file has reached its largest size.
            WorkError: the file cannot be written.
        """
        line = _line(exchange, rating, reason)
        try:
            with _writing:
                self._append(line)
        except OSError as error:
            raise WorkError(
                f"{self.path} cannot be written ({error.strerror}): check the folder, its permissions and the disk"
            ) from error

    def _append(self, line: bytes) -> None:
        new = not self.path.exists()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What people asked is nobody else's to read.
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            size, before = _end(file)
            if size + len(line) > self._max_bytes:
                raise FeedbackFull(
                    f"{self.path} has reached {self._max_bytes:,} bytes: move it away, a new one is begun"
                )
            try:
                file.seek(size)
                file.write(before + line)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(self.path, size)
                raise
        if new:
            _sync_folder(self.path.parent)


class RecentAnswers:
    """The last answers by id, so that a rating needs only the id. Safe to share between threads."""

    def __init__(self, *, count: int = MAX_ANSWERS, size: int = MAX_ANSWERS_BYTES) -> None:
        """Keep the last `count` answers, fewer when they take more than `size` bytes."""
        self._count = count
        self._size = size
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def remember(self, exchange: Exchange) -> None:
        """Keep an answer with what it was asked with; the oldest make room."""
        packed = json.dumps(asdict(exchange) | {"history": _turns(exchange.history)}).encode()
        name = str(exchange.answer["id"])
        with self._lock:
            self._bytes += len(packed) - len(self._kept.pop(name, b""))
            self._kept[name] = packed
            while len(self._kept) > self._count or self._bytes > self._size:
                self._bytes -= len(self._kept.popitem(last=False)[1])

    def get(self, answer_id: str) -> Exchange | None:
        """Return an answer that is still kept, None for any other."""
        with self._lock:
            packed = self._kept.get(answer_id)
        if packed is None:
            return None
        values = json.loads(packed)
        return Exchange(
            answer=values["answer"],
            history=tuple(Turn(**turn) for turn in values["history"]),
            languages=_tuple(values["languages"]),
            documents=_tuple(values["documents"]),
        )


def _line(exchange: Exchange, rating: Rating, reason: str | None) -> bytes:
    if reason is not None and len(reason) > MAX_REASON_CHARS:
        raise UsageError(f"the reason has {len(reason):,} characters: at most {MAX_REASON_CHARS:,} are kept")
    answer = exchange.answer
    needed = [answer["id"], answer["question"], answer["language"]]
    if not all(text.strip() for text in needed + [each["quote"] for each in answer["citations"]]):
        raise UsageError(
            "the answer has an empty id, question, language or quote: send it as it was received"
        )
    fields = {
        "answer_id": answer["id"],
        "rating": rating,
        "reason": reason,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "question": answer["question"],
        "language": answer["language"],
        "history": _turns(exchange.history),
        "languages": exchange.languages,
        "documents": exchange.documents,
        "searched_known": exchange.searched_known,
        "from_client": exchange.from_client,
        "answer": answer,
    }
    line = json.dumps(fields, ensure_ascii=False).encode() + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise UsageError(
            f"the rating with its answer has {len(line):,} bytes: at most {MAX_LINE_BYTES:,} fit"
        )
    return line


def _turns(history: Sequence[Turn]) -> list[dict[str, str]]:
    """The newest turns that are kept, the oldest of them first."""
    kept: list[dict[str, str]] = []
    room = _HISTORY_CHARS
    for turn in reversed(history):
        room -= len(turn.content)
        if room < 0:
            break
        kept.append({"role": turn.role, "content": turn.content})
    return kept[::-1]


def _end(file: BinaryIO) -> tuple[int, bytes]:
    """Where the next line begins, and what must stand before it.

    A line that a crash tore was never acknowledged and is written over.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - MAX_LINE_BYTES)
    file.seek(start)
    tail = file.read()
    if not tail or tail.endswith(b"\n"):
        return size, b""
    _, ended, last = tail.rpartition(b"\n")
    if (ended or start == 0) and not _is_json(last):
        return size - len(last), b""
    # Complete, as an editor leaves it that ends files without a line end; or no line of ours.
    return size, b"\n"


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Make the new file's name last too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
