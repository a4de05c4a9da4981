"""A run as a JSON file: to keep, and to compare a later run with. What is read equals what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eval.records import Report
from eval.report import files
from index.errors import UsageError

FORMAT = 1
"""Raised when a field changes its meaning; a new field with a default does not raise it."""


def write(path: Path, report: Report) -> None:
    """Write a run, its fields in the order of `eval.records`, replacing what is at `path` in one step.

    Raises:
        WorkError: it cannot be written there.
    """
    text = json.dumps({"format": FORMAT, **_plain(report)}, ensure_ascii=False, indent=1)
    # A lone surrogate has no UTF-8; its backslash form is the JSON escape.
    files.replace(path, (text + "\n").encode("utf-8", "backslashreplace"))


def read(path: Path) -> Report:
    """The run that `write` put at `path`.

    Raises:
        UsageError: it cannot be read or is not such a file; the text names it.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}); give the JSON file of an earlier run"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"{path} is not a run of `rag eval` (no JSON); give the file that --json wrote"
        ) from error
    kind = data.get("format") if isinstance(data, dict) else None
    if kind != FORMAT or isinstance(kind, bool):
        raise UsageError(
            f"{path} is not a run of `rag eval` in format {FORMAT} (its format: {kind!r}); run it again with --json"
        )
    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{path} is not a run of `rag eval` (at {where}: {first['msg']}); give the file that --json wrote"
        ) from error


@cache
def _adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def _plain(value: Any) -> Any:
    """Dicts, lists and values; like `dataclasses.asdict`, for every kind of mapping."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
