"""`rag ask --file`: many questions, an answer a line, going on where it was stopped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from index.errors import UsageError, WorkError
from rag.asking import Answering, Ask
from ui.progress import counting


@dataclass(frozen=True, slots=True)
class _Line:
    id: str
    question: str


def ask_file(answering: Answering, questions: Path, out: Path | None, *, like: Ask) -> bool:
    """Ask every question of a file and write `{"id": ..., "answer": {...}}` for each, or `{"id": ..., "error": ...}`.

    Args:
        answering: what answers.
        questions: a question a line, or JSON with `question` and `id`; without one the line's number is the id.
        out: gets the lines, each when it is known; those whose id it answers already are not asked again. None:
            standard output.
        like: how each is asked: its filters and engine.

    Returns:
        Whether a question was wrong.

    Raises:
        UsageError: a line is no question, or two have the same id, or `out` is something else.
        WorkError: `out` cannot be written.
    """
    lines = list(_lines(questions))
    answered = set() if out is None or not out.exists() else _answered(out)
    failed = False
    with counting("asking") as progress:
        for place, line in enumerate(lines):
            progress("asking", place, len(lines))
            if line.id in answered:
                continue
            said: dict[str, Any] = {"id": line.id}
            try:
                said["answer"] = answering.answer(replace(like, text=line.question)).to_dict()
            except UsageError as error:
                said["error"] = str(error)
                failed = True
            _write(out, json.dumps(said, ensure_ascii=False))
        progress("asking", len(lines), len(lines))
    return failed


def _lines(path: Path) -> Iterator[_Line]:
    seen: set[str] = set()
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    for number, text in enumerate(content.split("\n"), start=1):
        if not text.strip():
            continue
        line = _line(text.strip(), number, path)
        if line.id in seen:
            raise UsageError(f"{path}:{number}: another line has the id {line.id!r}")
        seen.add(line.id)
        yield line


def _line(text: str, number: int, path: Path) -> _Line:
    if not text.startswith("{"):
        return _Line(str(number), text)
    try:
        found = json.loads(text)
        question = found["question"]
    except (ValueError, KeyError) as error:
        raise UsageError(f"{path}:{number}: it is no JSON object with a `question`") from error
    if not isinstance(question, str):
        raise UsageError(f"{path}:{number}: `question` is no text")
    return _Line(str(found.get("id", number)), question)


def _answered(path: Path) -> set[str]:
    """The ids that a file of answers holds; a last line that was cut off is asked again."""
    found = set()
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    whole, cut = lines[:-1], lines[-1]
    for number, text in enumerate(whole, start=1):
        try:
            found.add(str(json.loads(text)["id"]))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path}:{number}: it is no answer of `rag ask --file`: name another file"
            ) from error
    if cut:
        with path.open("r+b") as file:
            file.truncate(sum(len(f"{text}\n".encode()) for text in whole))
    return found


def _write(out: Path | None, line: str) -> None:
    if out is None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        return
    try:
        with out.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise WorkError(f"{out} cannot be written: {error.strerror}") from error
