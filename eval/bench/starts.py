"""From a command to its first answer: `rag ask`, and `rag serve` until it answers."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from eval.bench.processes import run
from index.errors import WorkError

_READY = "Chat at"


def starts(data_dir: Path, question: str, *, rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of `rag ask` and of `rag serve` until ready, on an index that is there: the best and the median.

    Raises:
        WorkError: a command failed.
    """
    environment = {"RAG_DATA_DIR": str(data_dir), "RAG_PORT": "0"}
    asked = []
    for _ in range(rounds):
        done = run([sys.executable, "-m", "ui.cli", "ask", question], environment=environment)
        if done.code:
            raise WorkError(f"`rag ask` failed with exit code {done.code}: see its message above")
        asked.append(done)
    served = [_serve(environment) for _ in range(rounds)]
    return {
        "ask": _summary([each.seconds for each in asked], cpu=[each.cpu_seconds for each in asked]),
        "serve": _summary([seconds for seconds, _ in served], cpu=[cpu for _, cpu in served]),
    }


def _serve(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds until the server is ready, and the processor's seconds until it had left."""
    started = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "serve"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    stopper = None
    try:
        if child.stdout is None:
            raise WorkError("the server's output cannot be read")
        ready = any(line.startswith(_READY) for line in child.stdout)
        seconds = time.monotonic() - started
    finally:
        child.send_signal(signal.SIGINT)
        _, status, stopper = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.stdout is not None:
            child.stdout.close()
    if not ready:
        raise WorkError("`rag serve` ended before it answered: run it to see why")
    return seconds, stopper.ru_utime + stopper.ru_stime


def _summary(seconds: list[float], *, cpu: list[float]) -> dict[str, float]:
    return {
        "best_seconds": round(min(seconds), 2),
        "median_seconds": round(statistics.median(seconds), 2),
        "best_cpu_seconds": round(min(cpu), 2),
    }
