"""Every test that docs/reliability.md and docs/security.md name is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/reliability.md", "docs/security.md")
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")


def functions_in(path: Path) -> set[str]:
    """The test functions of a file, those of classes as `Class::name`."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_named_test_exists(page: str) -> None:
    named = _NAMED.findall((ROOT / page).read_text("utf-8"))
    assert len(named) >= 5
    missing = [f"{path}::{name}" for path, name in named if name not in functions_in(ROOT / path)]
    assert missing == []


def test_every_fault_has_a_test() -> None:
    rows = [line for line in (ROOT / PAGES[0]).read_text("utf-8").splitlines() if line.startswith("| ")]
    faults = [line for line in rows if not line.startswith(("| fault", "| target", "| operation"))]
    assert len(faults) >= 20
    table = (ROOT / PAGES[0]).read_text("utf-8").split("## ", maxsplit=1)[0]
    assert [line for line in table.splitlines() if line.startswith("| ") and "tests/" not in line][1:] == []
