"""The pinned set of packages: complete, and not older than a year."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = (ROOT / "constraints.txt").read_text("utf-8").splitlines()


def test_the_pinned_set_was_raised_within_a_year() -> None:
    raised = date.fromisoformat(re.fullmatch(r"# raised (\S+): .*", PINS[0])[1])  # type: ignore[index]
    age = (datetime.now(UTC).date() - raised).days
    assert age <= 365, (
        f"the pins are {age} days old: raise them as CONTRIBUTING.md tells, and change the date"
    )


def test_every_requirement_is_pinned_once() -> None:
    pinned = [re.split("==", line)[0].lower().replace("_", "-") for line in PINS[1:] if line]
    assert len(pinned) == len(set(pinned))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=; ]", line)[0].lower().replace("_", "-") for line in required}
    assert names <= set(pinned), names - set(pinned)
