"""JSON as records: each object is a row with the names of its fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from index.normalise import normalise_line
from index.readers.archive import undamaged
from index.readers.blocks import Block, Extract
from index.readers.tables import record

_MEDIA_TYPE = "application/json"
# Objects in objects become fields with a dotted name, so deep; what lies deeper is left as JSON.
_DEEPEST = 4
_TITLES = ("title", "name")


def parsed(text: str) -> Any:
    """The value of JSON, or the list of values of JSON Lines; None when it is neither, or a value alone."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = _lines(text)
    return value if isinstance(value, dict | list) and value else None


def _lines(text: str) -> list[Any] | None:
    try:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        return None
    return values if all(isinstance(value, dict) for value in values) else None


def read_records(text: str) -> Extract:
    """The records of a JSON text for which `parsed` finds something; each list of objects under its name."""
    value = parsed(text)
    title = None
    if isinstance(value, dict):
        title = next((value[key] for key in _TITLES if isinstance(value.get(key), str)), None)
    return undamaged(lambda: Extract(tuple(_blocks(value, "")), _MEDIA_TYPE, title=title), "the JSON")


def _blocks(value: Any, name: str) -> Iterator[Block]:
    if isinstance(value, list):
        if name and any(isinstance(each, dict) for each in value):
            yield Block(name, kind="heading", level=0)
        for i, each in enumerate(value):
            yield Block(_row(each), kind="row", tight=i > 0)
        return
    inside = {key: each for key, each in value.items() if _is_table(each)}
    fields = {key: each for key, each in value.items() if key not in inside}
    if fields:
        yield Block(_row(fields), kind="row")
    for key, each in inside.items():
        yield from _blocks(each, key)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def _row(value: Any) -> str:
    return record(
        [(normalise_line(name), normalise_line(text)) for name, text in _fields(value, "", _DEEPEST)]
    )


def _fields(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if depth:
            for key, each in value.items():
                yield from _fields(each, f"{name}.{key}" if name else key, depth - 1)
        case list() if not any(isinstance(each, dict | list) for each in value):
            yield name, ", ".join(text for each in value for _, text in _fields(each, "", 0))
        case str():
            yield name, value
        case None:
            return
        case _:
            yield name, json.dumps(value, ensure_ascii=False)
