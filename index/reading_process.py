"""Reads files that strangers sent in a process of its own: `python -m index.reading_process`.

A small file can ask for any amount of time and memory (archives that unpack to gigabytes, documents that refer to
themselves), and a fault in a library can end the process that reads it. Here that is the end of one file: the
process has limits that the operating system keeps, and the next file gets a new one.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Self

from index.errors import ReadError, SkipReason, WorkError
from index.readers import read_bytes
from index.settings import IndexSettings
from index.types import Document, Span

# Reading leaves memory behind; a process that is replaced now and then cannot grow.
_READS_OF_ONE = 50
_GLANCE_SECONDS = 0.2
_BLOCK = 1 << 16
_WRITTEN_BYTES = 100_000_000  # of one file: the model that tells languages is unpacked to a temporary one


class ReadingProcess:
    """Reads one file after the other; not to be shared between threads.

    Args:
        settings: the limits.
        stopped: asked while a file is read; true ends the reading.
    """

    def __init__(self, settings: IndexSettings, *, stopped: Callable[[], bool] = lambda: False) -> None:
        self._settings = settings
        self._stopped = stopped
        self._process: subprocess.Popen[bytes] | None = None
        self._reads = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process; the next read starts a new one."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()

    def read(self, path: Path, *, name: str) -> Document | None:
        """The document in a file; `name` becomes its path and helps to tell its format.

        Returns None when `stopped` said so meanwhile.

        Raises:
            ReadError: why it is no document; `too_large` too when it takes more time or memory than allowed, and
                `broken` when it ended the process.
            WorkError: the process cannot be started.
        """
        process = self._started()
        order = {
            "path": str(path),
            "name": name,
            "max_bytes": int(self._settings.max_file_mb * 1_000_000),
            "max_garbled_share": self._settings.max_garbled_share,
            "max_characters": self._settings.max_document_chars,
            "seconds": self._settings.read_seconds,
        }
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            answer = self._line(process.stdout.fileno())
        except BrokenPipeError:
            answer = b""
        except BaseException:
            self.close()
            raise
        if answer is None:
            self.close()
            return None
        if not answer.endswith(b"\n"):
            raise self._ended()
        return _answer(answer)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._reads >= _READS_OF_ONE:
            self.close()
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _start(self._settings.read_memory_mb)
            self._reads = 0
        self._reads += 1
        return self._process

    def _line(self, pipe: int) -> bytes | None:
        """What the process says up to a line end; less when it ends or its time is over, None when stopped."""
        limit = time.monotonic() + self._settings.read_seconds
        said: list[bytes] = []
        waiter = select.poll()
        waiter.register(pipe, select.POLLIN)
        while not (said and said[-1].endswith(b"\n")):
            if self._stopped():
                return None
            if time.monotonic() > limit:
                raise _too_slow(self._settings.read_seconds)
            if not waiter.poll(_GLANCE_SECONDS * 1000):
                continue
            block = os.read(pipe, _BLOCK)
            if not block:
                break
            said.append(block)
        return b"".join(said)

    def _ended(self) -> ReadError:
        """The error for a process that is gone before it answered."""
        process, self._process = self._process, None
        code = 0 if process is None else process.wait()
        if code == -signal.SIGXCPU:
            return _too_slow(self._settings.read_seconds)
        if code == -signal.SIGKILL:  # the system had no memory left
            return _too_much(self._settings.read_memory_mb)
        return ReadError(
            SkipReason.BROKEN, "reading it failed badly; it may be damaged: save it again in another format"
        )


def _start(memory_mb: int) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    # One thread each: their stacks and buffers would count against the memory.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "index.reading_process", str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # Ctrl-C in a terminal is for the server, which ends this process itself.
            start_new_session=True,
            env={**os.environ, **single, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    except OSError as error:
        raise WorkError(
            f"the process that reads files cannot be started ({error.strerror}): free some memory"
        ) from error


def _too_slow(seconds: float) -> ReadError:
    return ReadError(
        SkipReason.TOO_LARGE,
        f"it takes more than {seconds:g} seconds to read; split it or raise RAG_READ_SECONDS",
    )


def _too_much(memory_mb: int) -> ReadError:
    return ReadError(
        SkipReason.TOO_LARGE,
        f"it takes more than {memory_mb} MB of memory to read; split it or raise RAG_READ_MEMORY_MB",
    )


def _answer(line: bytes) -> Document:
    content: dict[str, Any] = json.loads(line)
    if "reason" in content:
        raise ReadError(SkipReason(content["reason"]), content["detail"])
    marked = tuple(Span(*values) for values in content.pop("marked"))
    return Document(**content, marked=marked)


# -- the process itself


def main() -> int:
    """Answer orders, one a line on stdin, with one line each on stdout, until stdin ends."""
    memory_mb = int(sys.argv[1])
    _limit(memory_mb)
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        _say(answers, _carried_out(json.loads(line), memory_mb))
    return 0


def _limit(memory_mb: int) -> None:
    import resource  # not on every platform, and needed in this process alone

    size = memory_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_WRITTEN_BYTES, _WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _carried_out(order: dict[str, Any], memory_mb: int) -> dict[str, Any]:
    _allow(order["seconds"])
    try:
        document = read_bytes(
            Path(order["path"]).read_bytes(),
            order["name"],
            max_bytes=order["max_bytes"],
            max_garbled_share=order["max_garbled_share"],
        )
        _check_length(document, order["max_characters"])
    except ReadError as error:
        return {"reason": error.reason.value, "detail": error.detail}
    except MemoryError:
        refusal = _too_much(memory_mb)
        return {"reason": refusal.reason.value, "detail": refusal.detail}
    return {**asdict(document), "marked": [[span.start, span.end, span.kind] for span in document.marked]}


def _allow(seconds: float) -> None:
    """Let the process use so much time of a processor for the next file; then the system ends it."""
    import resource  # not on every platform

    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _check_length(document: Document, most: int) -> None:
    if len(document.text) > most:
        raise ReadError(
            SkipReason.TOO_LARGE,
            f"its text has {len(document.text):,} characters, more than the {most:,} allowed; "
            "split it or raise RAG_MAX_DOCUMENT_CHARS",
        )


def _say(answers: BinaryIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
