"""The pinned set of packages: complete, and not older than a year."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
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
    names = {_name(line) for line in required}
    assert names <= set(pinned), names - set(pinned)


def test_every_import_comes_with_a_requirement() -> None:
    """With one of the default set-up, or with what that requires: a package that happens to be there is none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    provided = packages_distributions()
    come = _required(project["dependencies"])
    optional = {name for lines in project["optional-dependencies"].values() for name in _names(lines)}
    missing = {
        (module, path.relative_to(ROOT).as_posix())
        for part in ("index", "rag", "ui")
        for path in (ROOT / part).rglob("*.py")
        for module in _imported(path)
        if not {_name(d) for d in provided.get(module, [])} & (come | optional)
    }
    assert missing == set()


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; (]", requirement)[0].lower().replace("_", "-")


def _names(requirements: list[str]) -> set[str]:
    return {_name(line) for line in requirements if "extra ==" not in line}


def _required(requirements: list[str]) -> set[str]:
    found, new = set[str](), _names(requirements)
    while new:
        found |= new
        below = set[str]()
        for name in new:
            try:
                below |= _names(requires(name) or [])
            except PackageNotFoundError:  # of another platform
                continue
        new = below - found
    return found


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            modules = [str(node.module)]
        for top in {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names):
            if top not in {"index", "rag", "eval", "ui", "seeds"}:
                yield top
