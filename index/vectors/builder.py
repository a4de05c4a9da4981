"""The process that writes a version, seen from the one that asks for it; `index.vectors.build` is what it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index.errors import WorkError
from index.vectors import pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic import SecretStr

    from index.vectors.pointer import Pointer


class Builder:
    """A process that gets ready at once and waits for the one build that it is asked for.

    Getting ready, for which it imports Chroma, takes longer than to write a small version: started while the last
    documents are embedded, it costs no time. It ends when this process does, or without a build on `close`.

    Raises:
        WorkError: the process cannot be started.
    """

    def __init__(
        self, data_dir: Path, *, chroma_url: str | None = None, database_url: SecretStr | None = None
    ) -> None:
        self._database_url = database_url
        command = [sys.executable, "-m", "index.vectors.build", "--data-dir", str(data_dir)]
        command += ["--parent", str(os.getpid())]
        command += [] if chroma_url is None else ["--chroma-url", chroma_url]
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        # Errors go to a file: a pipe that nobody reads meanwhile would stop the build when it is full.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed by `close`
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError as error:
            self._errors.close()
            raise WorkError(
                f"the process that writes Chroma's vectors cannot be started ({error.strerror}): free some memory"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The number that the system gave the process."""
        return self._process.pid

    @property
    def waits(self) -> bool:
        """Whether the process is there still; the system may have ended it."""
        return self._process.poll() is None

    def build(
        self,
        generation: int,
        *,
        keep: Collection[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> Pointer:
        """Do what `index.vectors.build.build` does, in the process; once.

        Raises:
            WorkError: the build failed; its own line says why. The old version is in service as before.
        """
        self._ask(generation, keep)
        made = None
        for line in self._process.stdout or ():
            done, _, rows = line.partition(" ")
            if not done.isdigit():
                made = pointer.loaded(line)
            elif progress is not None:
                progress(int(done), int(rows))
        code = self._process.wait()
        self._errors.seek(0)
        error = self._errors.read().strip()
        if code != 0 or made is None:
            last = error.splitlines()[-1] if error else f"it ended with code {code}"
            raise WorkError(f"Chroma's vectors were not rebuilt ({last}): run `rag index` again")
        return made

    def close(self) -> None:
        """End the process, if it still runs."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):  # closing writes what is left
                    pipe.close()
        self._process.wait()
        self._errors.close()

    def _ask(self, generation: int, keep: Collection[str]) -> None:
        """Say what to build. Not in the command line: others could read the address of the database there."""
        url = self._database_url
        order = {
            "generation": generation,
            "keep": list(keep),
            "database_url": None if url is None else url.get_secret_value(),
        }
        if self._process.stdin is None:
            return
        with suppress(BrokenPipeError):  # it has ended; its own line says why
            self._process.stdin.write(f"{json.dumps(order)}\n")
            self._process.stdin.close()
