"""Reads and cuts files that strangers sent in a process of its own: `python -m index.reading_process`.

A small file can ask for any amount of time and memory (archives that unpack to gigabytes, documents that refer to
themselves), and a fault in a library can end the process that reads it. Here that is the end of one file: the
process has limits that the operating system keeps, and the next file gets a new one. Nothing of foreign text is split,
counted or searched in the process that asks: that one takes offsets and words in pieces of bounded size.

Orders and answers are lines of JSON. An answer is several lines, the last one with "end"; what a line holds of a list
or a text continues what earlier ones held.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Self

from index.cutting import Parts, cut_chunks, cut_sentences
from index.errors import ReadError, SkipReason, WorkError
from index.readers import read_bytes
from index.readers.recognition import available
from index.settings import IndexSettings
from index.types import Chunk, Document, Place, Sentence, Span, span_id

# Reading leaves memory behind; a process that is replaced now and then cannot grow.
_READS_OF_ONE = 50
_GLANCE_SECONDS = 0.2
_BLOCK = 1 << 16
# Of an answer in one line: parsing it holds the interpreter's lock for a few milliseconds.
_CHARACTERS_AT_ONCE = 100_000
_ROWS_AT_ONCE = 2_000
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
        self._document: Document | None = None
        self.sentences: list[Sentence] = []
        """Those of the document that was read last."""
        self.used_seconds = 0.0
        """Of a processor, for the last order that was carried out."""

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

        Returns None when `stopped` said so meanwhile. `sentences` and `cut` are about this document from then on.

        Raises:
            ReadError: why it is no document; `too_large` too when it takes more time or memory than allowed, and
                `broken` when it ended the process.
            WorkError: the process cannot be started.
        """
        self._document, self.sentences = None, []
        told = self._ordered(
            {
                "path": str(path),
                "name": name,
                "max_bytes": int(self._settings.max_file_mb * 1_000_000),
                "max_garbled_share": self._settings.max_garbled_share,
                "max_characters": self._settings.max_document_chars,
                "max_sentences": self._settings.max_document_sentences,
                "ocr_seconds": self._settings.ocr_seconds,
            },
            self._started(),
        )
        if told is None:
            return None
        marked = tuple(Span(*values) for values in told["marked"])
        text = "".join(told["text"])
        places = tuple(Place(*values) for values in told["places"])
        document = Document(**told["document"], text=text, marked=marked, places=places)
        self.sentences = [
            Sentence(
                id=span_id(document.id, start, end),
                document_id=document.id,
                ordinal=ordinal,
                start=start,
                end=end,
                text=text[start:end],
                language=language,
                kind=kind,
            )
            for ordinal, (start, end, language, kind) in enumerate(told["sentences"])
        ]
        self._document = document
        return document

    def cut(self, tokens: Sequence[int], *, size: int, overlap: int) -> Parts | None:
        """The parts of the document that was read last; `tokens`, `size` and `overlap` as for `make_chunks`.

        Returns None when `stopped` said so meanwhile.

        Raises:
            ReadError: as `read`.
        """
        document, process = self._document, self._process
        if document is None or process is None:
            raise self._ended()
        told = self._ordered({"tokens": list(tokens), "size": size, "overlap": overlap}, process)
        if told is None:
            return None
        chunks = [
            Chunk(
                id=span_id(document.id, start, end),
                document_id=document.id,
                ordinal=ordinal,
                start=start,
                end=end,
                text=document.text[start:end],
                language=language,
                first=first,
                last=last,
            )
            for ordinal, (start, end, language, first, last) in enumerate(told["chunks"])
        ]
        return Parts(document, self.sentences, chunks, [(words, keys) for words, keys in told["words"]])

    def _ordered(self, order: dict[str, Any], process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        """All that the process says to an order; None when stopped."""
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        told: dict[str, Any] = {}
        try:
            process.stdin.write(
                json.dumps({**order, "seconds": self._settings.read_seconds}).encode() + b"\n"
            )
            process.stdin.flush()
            for line in self._lines(process.stdout.fileno()):
                if line is None:
                    self.close()
                    return None
                for name, value in json.loads(line).items():
                    _add(told, name, value)
                if "end" in told:
                    break
            else:
                raise self._ended()
        except BrokenPipeError:
            raise self._ended() from None
        except BaseException:
            self.close()
            raise
        self.used_seconds = told["end"]
        if "reason" in told:
            raise ReadError(SkipReason(told["reason"]), told["detail"])
        return told

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._reads >= _READS_OF_ONE:
            self.close()
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = _start(self._settings.read_memory_mb)
            self._reads = 0
        self._reads += 1
        return self._process

    def _lines(self, pipe: int) -> Iterator[bytes | None]:
        """The lines that the process says, None when stopped; they end when it does.

        Raises:
            ReadError: `too_large`, its time is over.
        """
        # Recognition is another program's work: it counts here and not to the time of this process's processor.
        seconds = self._settings.read_seconds + (self._settings.ocr_seconds if available() else 0)
        limit = time.monotonic() + seconds
        rest = b""
        waiter = select.poll()
        waiter.register(pipe, select.POLLIN)
        while True:
            if self._stopped():
                yield None
            if time.monotonic() > limit:
                raise _too_slow(seconds)
            if not waiter.poll(_GLANCE_SECONDS * 1000):
                continue
            block = os.read(pipe, _BLOCK)
            if not block:
                return
            *whole, last = block.split(b"\n")
            for line in whole:
                yield rest + line
                rest = b""
            rest += last

    def _ended(self) -> ReadError:
        """The error for a process that is gone before it answered."""
        process, self._process = self._process, None
        if process is not None:
            process.communicate()  # closes what led to it
        code = 0 if process is None else process.returncode
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


def _add(told: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, list):
        told.setdefault(name, []).extend(value)
    else:
        told[name] = value


# -- the process itself


def main() -> int:
    """Answer orders, one a line on stdin, with one line each on stdout, until stdin ends."""
    memory_mb = int(sys.argv[1])
    _limit(memory_mb)
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work = _Work(memory_mb)
    for line in sys.stdin.buffer:
        for content in work.answer(json.loads(line)):
            _say(answers, content)
    return 0


def _limit(memory_mb: int) -> None:
    import resource  # not on every platform, and needed in this process alone

    size = memory_mb * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_WRITTEN_BYTES, _WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _Work:
    """Carries out orders; the document that was read last can be cut."""

    def __init__(self, memory_mb: int) -> None:
        self._memory_mb = memory_mb
        self._document: Document | None = None
        self._sentences: list[Sentence] = []

    def answer(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        """The lines of the answer to an order."""
        began = _allow(order["seconds"])
        try:
            lines = self._read(order) if "path" in order else self._cut(order)
            return [*lines, {"end": _used() - began}]
        except ReadError as error:
            refusal = error
        except MemoryError:
            refusal = _too_much(self._memory_mb)
        return [{"reason": refusal.reason.value, "detail": refusal.detail, "end": _used() - began}]

    def _read(self, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        document = read_bytes(
            Path(order["path"]).read_bytes(),
            order["name"],
            max_bytes=order["max_bytes"],
            max_garbled_share=order["max_garbled_share"],
            ocr_seconds=order["ocr_seconds"],
        )
        _check_length(document, order["max_characters"])
        sentences = cut_sentences(document)
        _check_sentences(sentences, order["max_sentences"])
        self._document, self._sentences = document, sentences
        known = asdict(document)
        text, marked, places = (known.pop(name) for name in ("text", "marked", "places"))
        yield {"document": known, "marked": [], "places": [], "text": [], "sentences": []}
        for start in range(0, len(text), _CHARACTERS_AT_ONCE):
            yield {"text": [text[start : start + _CHARACTERS_AT_ONCE]]}
        yield from _pieces("marked", [[span["start"], span["end"], span["kind"]] for span in marked])
        yield from _pieces("places", [list(p.values()) for p in places])
        yield from _pieces("sentences", [[s.start, s.end, s.language, s.kind] for s in sentences])

    def _cut(self, order: dict[str, Any]) -> Iterator[dict[str, Any]]:
        assert self._document is not None  # noqa: S101 - who asks has read one
        parts = cut_chunks(
            self._document, self._sentences, order["tokens"], size=order["size"], overlap=order["overlap"]
        )
        yield {"chunks": [], "words": []}
        yield from _pieces("chunks", [[c.start, c.end, c.language, c.first, c.last] for c in parts.chunks])
        # A chunk's words are about as long as three of its texts.
        yield from _pieces("words", parts.tokens, at_once=100)


def _pieces(name: str, rows: Sequence[Any], *, at_once: int = _ROWS_AT_ONCE) -> Iterator[dict[str, Any]]:
    for start in range(0, len(rows), at_once):
        yield {name: rows[start : start + at_once]}


def _allow(seconds: float) -> float:
    """Let the process use so much time of a processor for the next order; then the system ends it. Returns what it has
    used so far."""
    import resource  # not on every platform

    used = _used()
    limit = int(used + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    return used


def _used() -> float:
    import resource  # not on every platform

    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _check_length(document: Document, most: int) -> None:
    if len(document.text) > most:
        raise ReadError(
            SkipReason.TOO_LARGE,
            f"its text has {len(document.text):,} characters, more than the {most:,} allowed; "
            "split it or raise RAG_MAX_DOCUMENT_CHARS",
        )


def _check_sentences(sentences: Sequence[Sentence], most: int) -> None:
    if len(sentences) > most:
        raise ReadError(
            SkipReason.TOO_LARGE,
            f"it has {len(sentences):,} sentences, more than the {most:,} allowed; "
            "split it or raise RAG_MAX_DOCUMENT_SENTENCES",
        )


def _say(answers: BinaryIO, content: dict[str, Any]) -> None:
    answers.write(json.dumps(content).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
