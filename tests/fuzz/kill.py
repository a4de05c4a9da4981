"""kill -9 at random points: `python -m tests.fuzz.kill [OPERATION ...] [--points 50] [--seed N]`.

A point is the call, counted from the start of the operation, before which its process kills itself: any call of a
function, or one of those that write (to files, folders or the database), or a moment while the vectors are written by
their own process. In half of the cases the processes that it started are killed with it, as when a container ends; in
the other half they live on, as with `kill -9 PID`. At a third of the points the next run, which completes the work, is
killed as well. One JSON line for each operation; exit code 1 when anything was not as it must be.
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
from tests.fuzz.operations import OPERATIONS, Operation, Place, Say, answers, finished, stored

_WRITING_MODULES = ("posix", "_io", "sqlite3", "_sqlite3")
_NEVER = 10**12
_LONGEST_WRITING = 2.0
_KILLED_AGAIN = 1 / 3


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
    between: int = 0  # of the points, those that left a part of the work committed
    killed_again: int = 0  # of the runs after them
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
            work(lambda line: _write_line(writing, line))
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as its parent
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode().splitlines()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def _write_line(pipe: int, line: str) -> None:
    os.write(pipe, f"{line}\n".encode())


def counted(
    run: Callable[[Place, Say], None], place: Place, counter: Counter, *, delay: float | None = None
) -> Callable[[Say], None]:
    """A run with its calls counted; `delay`: end so many seconds after vectors begin to be written."""

    def work(say: Say) -> None:
        def heard(line: str) -> None:
            if line != "writing":
                say(line)
            elif delay is not None:
                time.sleep(delay)
                counter.kill()

        threading.setprofile(counter)
        sys.setprofile(counter)
        run(place, heard)
        sys.setprofile(None)
        threading.setprofile(None)
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
        self._strata = _strata(self._operation, self._draw)

    def run(self, points: int) -> Report:
        """Kill it at so many points."""
        started = time.monotonic()
        self._must(forked(lambda _: self._operation.prepare(self._place)))
        shutil.copytree(self._live, self._before)
        earlier = json.loads(self._must(forked(lambda say: say(json.dumps(self._now()))))[-1])
        said = self._must(forked(counted(self._operation.run, self._place, Counter())))
        calls = json.loads(said[-1].removeprefix("calls "))
        self._must(forked(lambda _: self._operation.complete(self._place)))
        expected = self._seen()
        self.report.answered = sum('"refused": false' in each for each in expected["answers"])
        for point in range(points):
            self._point(point, calls, expected, earlier)
        self.report.points = points
        self.report.seconds = round(time.monotonic() - started, 1)
        return self.report

    def _point(
        self, point: int, calls: dict[str, int], expected: dict[str, Any], earlier: dict[str, Any]
    ) -> None:
        shutil.rmtree(self._live)
        shutil.copytree(self._before, self._live)
        counter, delay, where = self._drawn(self._strata[point % len(self._strata)], calls)
        label = f"point {point}, {where}"
        code, heard = forked(counted(self._operation.run, self._place, counter, delay=delay))
        self.report.killed += code == -signal.SIGKILL
        heard = [line for line in heard if not line.startswith("calls")]
        now = self._right_after(label, code, heard, earlier)
        self.report.between += now["stored"] not in (None, earlier["stored"], expected["stored"])
        if self._draw.random() < _KILLED_AGAIN:
            counter, _, where = self._drawn("writing", calls)
            label = f"{label}; then {where}"
            code, _ = forked(counted(lambda place, _: self._operation.complete(place), self._place, counter))
            self.report.killed_again += code == -signal.SIGKILL
            self._right_after(label, code, heard, earlier)
        code, _ = forked(lambda _: self._operation.complete(self._place))
        if code != 0:
            self._fault(label, "the next run fails")
            return
        got = self._seen()
        for name, value in expected.items():
            if got[name] != value:
                self._fault(label, f"at the end, {name} differ: {_difference(got[name], value)}")

    def _drawn(self, stratum: str, calls: dict[str, int]) -> tuple[Counter, float | None, str]:
        """Where to kill: at a call, or so many seconds into the writing of vectors; and that in words."""
        group = self._draw.random() < 0.5
        whom = "group" if group else "process"
        if stratum == "vectors":
            delay = self._draw.random() ** 2 * _LONGEST_WRITING
            return Counter(group=group), delay, f"{delay:.2f} s into the writing of vectors, {whom}"
        at = self._draw.randrange(1, calls[stratum] + 1)
        return Counter(stratum, at, group), None, f"call {at:,} of {calls[stratum]:,} ({stratum}), {whom}"

    def _right_after(
        self, label: str, code: int, heard: list[str], earlier: dict[str, Any]
    ) -> dict[str, Any]:
        """What is stored and answered right after a kill, once what is wrong with it is noted."""
        if code not in (0, -signal.SIGKILL):
            self._fault(label, f"ended with {code}")
        code, found = forked(lambda say: say(json.dumps(self._now(heard))))
        if code != 0:
            self._fault(label, f"right after the kill: cannot be read: {code}")
            return {"stored": None}
        now: dict[str, Any] = json.loads(found[-1])
        for fault in now["faults"]:
            self._fault(label, f"right after the kill: {fault}")
        if len(self._operation.revisions) > 1 and len(now["answers"]) != len(earlier["answers"]):
            self._fault(label, "right after the kill: not every question is answered")
        return now

    def _now(self, heard: list[str] | None = None) -> dict[str, Any]:
        """What is stored and answered; `heard`: what was acknowledged, to be checked."""
        settings = self._place.settings
        faults = [] if heard is None else self._operation.kept(self._place, heard)
        return {"faults": faults, "stored": stored(settings), "answers": answers(settings)}

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


def _strata(operation: Operation, draw: random.Random) -> list[str]:
    """The kinds of points of one operation, in turn, so that a few points are of different kinds."""
    kinds = ["any", "writing", "writing", "vectors" if operation.writes_vectors else "writing"]
    draw.shuffle(kinds)
    return kinds


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
