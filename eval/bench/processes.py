"""Measurements in processes of their own: nothing warm is left from the one before, and peaks are told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import WorkError


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program.

    Attributes:
        seconds: from its start to its end.
        cpu_seconds: of all cores, its own children included.
        peak_mb: the most memory that it had, or that one of its children had, in MB (10^6 bytes).
        code: its exit code.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    code: int


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> Run:
    """Run a program to its end; what it writes to standard output is dropped, its errors are shown."""
    started = time.monotonic()
    child = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    # Unlike RUSAGE_CHILDREN, this counts one child; kilobytes on Linux.
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Run(
        seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        peak_mb=usage.ru_maxrss * 1024 / 1e6,
        code=child.returncode,
    )


def measure(module: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Run `python -m MODULE`, which reads `options` and writes its findings as JSON; they come with `peak_mb`.

    Raises:
        WorkError: it failed; its errors are on standard error.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "options.json"), Path(folder, "found.json")
        given.write_text(json.dumps(options), encoding="utf-8")
        done = run([sys.executable, "-m", module, str(given), str(found)])
        if done.code:
            raise WorkError(f"{module} failed with exit code {done.code}: see its message above")
        findings: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return {"peak_mb": round(done.peak_mb), **findings}


def answer_measure(arguments: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """In the process that `measure` starts: its options, and where its findings go."""
    return json.loads(Path(arguments[0]).read_text(encoding="utf-8")), Path(arguments[1])
