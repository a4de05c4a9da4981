"""kill -9 at random points: `python -m tests.fuzz.kill [OPERATION ...] [--points 50] [--seed N]`.

A point is the call, counted from the start of the operation, before which its process kills itself: any call of a
function, or one of those that write (to files, folders or the database), or a moment while the vectors are written by
their own process. In half of the cases the processes that it started are killed with it, as when a container ends; in
the other half they live on, as with `kill -9 PID`. One JSON line for each operation; exit code 1 when anything was
not as it must be.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# Before numpy is imported: a process with threads is not to be forked.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import chromadb  # noqa: F401 - imported once, not in every child

from rag.question import analyse
from tests.fuzz.operations import OPERATIONS, Operation, Place, Say, answers, finished

_WRITING_MODULES = ("posix", "_io", "sqlite3", "_sqlite3")
_NEVER = 10**12
_LONGEST_WRITING = 2.0


@dataclass(slots=True)
class Counter:
    """Counts calls of a process and kills it before the chosen one."""

    stratum: str = "any"
    at: int = _NEVER
    group: bool = False
    seen: dict[str, int] = field(default_factory=lambda: {"any": 0, "writing": 0})

    def __call__(self, _frame: object, event: str, argument: object) -> None:
        if event not in ("call", "c_call"):
            return
        self._count("any")
        if event == "c_call" and _writes(argument):
            self._count("writing")

    def _count(self, stratum: str) -> None:
        self.seen[stratum] += 1
        if stratum == self.stratum and self.seen[stratum] == self.at:
            self.kill()

    def kill(self) -> None:
        """End this process, with its group or without it."""
        if self.group:
            os.killpg(0, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def _writes(function: object) -> bool:
    owner = getattr(function, "__self__", None)
    module = getattr(function, "__module__", None) or type(owner).__module__
    return module in _WRITING_MODULES


@dataclass(slots=True)
class Report:
    """What became of one operation."""

    operation: str
    seed: int
    points: int = 0
    killed: int = 0
    answered: int = 0  # of the questions, with words of a document
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def forked(work: Callable[[Say], object]) -> tuple[int, list[str]]:
    """Do work in a process of its own; returns its exit status (negative: the signal) and the lines it said."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setpgrp()
            work(lambda line: os.write(writing, f"{line}\n".encode()) and None)
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode().splitlines()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def counted(
    operation: Operation, place: Place, counter: Counter, *, delay: float | None = None
) -> Callable[[Say], None]:
    """The operation with its calls counted; `delay`: end so many seconds after vectors begin to be written."""

    def work(say: Say) -> None:
        def heard(line: str) -> None:
            if line != "writing":
                say(line)
            elif delay is not None:
                time.sleep(delay)
                counter.kill()

        threading.setprofile(counter)
        sys.setprofile(counter)
        operation.run(place, heard)
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        say(f"calls {json.dumps(counter.seen)}")

    return work


class Kills:
    """One operation, killed again and again."""

    def __init__(self, name: str, *, seed: int, folder: Path) -> None:
        self.report = Report(name, seed)
        self._operation = OPERATIONS[name]
        self._draw = random.Random(f"{name} {seed}")
        self._live, self._before = folder / "live", folder / "before"
        self._place = Place(self._live)

    def run(self, points: int) -> Report:
        """Kill it at so many points."""
        started = time.monotonic()
        self._must(forked(lambda _: self._operation.prepare(self._place)))
        shutil.copytree(self._live, self._before)
        earlier = self._must(forked(lambda say: say(json.dumps(answers(self._place.settings)))))[-1]
        said = self._must(forked(counted(self._operation, self._place, Counter())))
        calls = json.loads(said[-1].removeprefix("calls "))
        self._must(forked(lambda _: self._operation.complete(self._place)))
        expected = self._seen()
        self.report.answered = sum('"refused": false' in each for each in expected["answers"])
        for point in range(points):
            self._point(point, calls, expected, json.loads(earlier))
        self.report.points = points
        self.report.seconds = round(time.monotonic() - started, 1)
        return self.report

    def _point(self, point: int, calls: dict[str, int], expected: dict[str, Any], earlier: list[str]) -> None:
        shutil.rmtree(self._live)
        shutil.copytree(self._before, self._live)
        group = self._draw.random() < 0.5
        delay = None
        stratum = self._draw.choice(["any", "writing", "writing", "vectors"])
        if stratum == "vectors" and self.report.operation in ("index", "switch"):
            counter, delay = Counter(group=group), self._draw.random() ** 2 * _LONGEST_WRITING
            where = f"{delay:.2f} s into the writing of vectors"
        else:
            stratum = "writing" if stratum == "vectors" else stratum
            counter = Counter(stratum, self._draw.randrange(1, calls[stratum] + 1), group)
            where = f"call {counter.at:,} of {calls[stratum]:,} ({stratum})"
        label = f"point {point}, {where}, {'group' if group else 'process'}"
        code, heard = forked(counted(self._operation, self._place, counter, delay=delay))
        self.report.killed += code == -signal.SIGKILL
        if code not in (0, -signal.SIGKILL):
            self._fault(label, f"ended with {code}")
        heard = [line for line in heard if not line.startswith("calls")]
        code, found = forked(lambda say: say(json.dumps(self._after(heard, earlier))))
        for fault in json.loads(found[-1]) if code == 0 else [f"cannot be read: {code}"]:
            self._fault(label, f"right after the kill: {fault}")
        code, _ = forked(lambda _: self._operation.complete(self._place))
        if code != 0:
            self._fault(label, "the next run fails")
            return
        got = self._seen()
        for name, value in expected.items():
            if got[name] != value:
                self._fault(label, f"at the end, {name} differ: {_difference(got[name], value)}")

    def _after(self, heard: list[str], earlier: list[str]) -> list[str]:
        """What is wrong right after the kill."""
        faults = self._operation.kept(self._place, heard)
        now = answers(self._place.settings)
        if len(self._operation.revisions) > 1 and len(now) != len(earlier):
            faults.append("not every question is answered")
        return faults

    def _seen(self) -> dict[str, Any]:
        said = self._must(forked(lambda say: say(json.dumps(finished(self._place)))))
        seen: dict[str, Any] = json.loads(said[-1])
        return seen

    def _must(self, outcome: tuple[int, list[str]]) -> list[str]:
        code, said = outcome
        if code != 0:
            raise AssertionError(f"{self.report.operation}: a run that nobody killed ended with {code}")
        return said

    def _fault(self, label: str, what: str) -> None:
        self.report.faults.append(f"{label}: {what}")


def _difference(got: Any, expected: Any) -> str:
    """A few words on how two values differ."""
    if isinstance(got, dict):
        keys = sorted(key for key in got.keys() | expected.keys() if got.get(key) != expected.get(key))
        return f"{len(keys)} of {len(expected)}: {keys[:3]}"
    pairs = [(a, b) for a, b in zip(got, expected, strict=False) if a != b]
    return f"{str(pairs[:1])[:600]}" if pairs else f"{got} and not {expected}"[:300]


def main() -> int:
    """Kill, check, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kill", description=__doc__)
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=f"of {', '.join(OPERATIONS)}; all")
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    analyse("Are tables and models loaded once, and not in every child?")
    failed = False
    for name in options.operations or OPERATIONS:
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            report = Kills(name, seed=options.seed, folder=Path(folder)).run(options.points)
        sys.stdout.write(f"{json.dumps(asdict(report))}\n")
        sys.stdout.flush()
        failed = failed or bool(report.faults) or report.killed < report.points / 2
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
