"""kill -9 at random points of indexing, of a change of the folder or the model, of uploads and of deletions.

Three of these and a point each here, other ones in every run; `python -m tests.fuzz.kill --points 50` does more. The
seed is in the message of a failure and gives the same points again.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ("index", "folder", "switch", "upload", "delete")
AT_ONCE = 3


def test_killed_anywhere_it_loses_nothing_and_the_next_run_completes_it() -> None:
    seed = random.SystemRandom().randrange(10**6)
    chosen = random.SystemRandom().sample(OPERATIONS, AT_ONCE)
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.kill", *chosen, "--points", "1", "--seed", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    reports: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["operation"] for report in reports] == chosen, done.stderr
    for report in reports:
        assert report["faults"] == [], f"seed {seed}\n{done.stderr}"
        assert report["answered"] >= 4, "the questions are about the documents"
        assert report["points"] == 1
    assert sum(report["killed"] for report in reports) >= 1, "most points come before the end"
