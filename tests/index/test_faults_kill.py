"""kill -9 at random points of indexing, of a change of the folder or the model, of uploads and of deletions.

A few points each here, other ones in every run; `python -m tests.fuzz.kill --points 50` does more. The seed is in the
message of a failure and gives the same points again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
POINTS = {"index": 2, "folder": 1, "switch": 1, "upload": 2, "delete": 2}


@pytest.mark.parametrize("operation", POINTS)
def test_killed_anywhere_it_loses_nothing_and_the_next_run_completes_it(operation: str) -> None:
    seed = random.SystemRandom().randrange(10**6)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.fuzz.kill",
            operation,
            "--points",
            str(POINTS[operation]),
            "--seed",
            str(seed),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["faults"] == [], f"seed {seed}\n{done.stderr}"
    assert report["answered"] >= 4, "the questions are about the documents"
    assert report["points"] == POINTS[operation]
    assert report["killed"] >= 1, "most points come before the end"
