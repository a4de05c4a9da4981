"""A command of `rag` on a terminal of its own: `with Terminal("ask", "How many?", data_dir=...) as terminal:`."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

ROOT = Path(__file__).resolve().parents[2]
_WAIT_SECONDS = 120.0  # only what fails takes so long


class Terminal:
    """A process and what a person sees of it.

    Attributes:
        process: the command.
        screen: what is to be seen now, `cursor` and `title` among it.
        received: every byte that the terminal got.
    """

    def __init__(
        self, *arguments: str, data_dir: Path, width: int = 100, height: int = 24, **settings: str
    ) -> None:
        self.screen = pyte.HistoryScreen(width, height, history=1000)
        self.received = b""
        self._stream = pyte.ByteStream(self.screen)
        self._here, there = pty.openpty()
        termios.tcsetwinsize(there, (height, width))
        # What the tests' own terminal is like is not said.
        here = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
        own = {"RAG_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *arguments],
            stdin=there, stdout=there, stderr=there,
            env={**here, **own, **settings},
            cwd=data_dir,
        )  # fmt: skip
        os.close(there)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join()
        os.close(self._here)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._here, text.encode())

    def lines(self) -> list[str]:
        """All lines, those that have left the screen too, without the empty ones at the end."""
        rows = [*self.screen.history.top, *(self.screen.buffer[row] for row in range(self.screen.lines))]
        lines = ["".join(row[column].data for column in range(self.screen.columns)).rstrip() for row in rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait_for(self, text: str) -> None:
        """Wait until a text is to be seen."""
        until = time.monotonic() + _WAIT_SECONDS
        while not any(text in line for line in self.lines()):
            assert time.monotonic() < until, f"{text!r} is not among {self.lines()}"
            assert self._reading.is_alive(), f"the command ended with {self.lines()}"
            time.sleep(0.02)

    def end(self) -> int:
        """Wait for the end of the command; its exit code."""
        code = self.process.wait(_WAIT_SECONDS)
        self._reading.join(_WAIT_SECONDS)
        return code

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
            while read := os.read(self._here, 1 << 16):
                self.received += read
                self._stream.feed(read)
