"""Asks every task of a target and judges what comes back. A stopped run goes on where it was."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eval import metrics
from eval.provenance import sha256
from eval.records import Record, Retrieved, Task
from eval.target import Target
from index.errors import UsageError
from rag.asking import Ask

TOP_K = 10
"""How deep the ranking is looked at."""

_RECORD = TypeAdapter(Record)


def run(
    target: Target,
    tasks: Sequence[Task],
    *,
    engine: str | None = None,
    journal: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Record]:
    """Ask every task, in order.

    The first question is asked once before the clock runs: models load what they need on first use.

    Args:
        engine: who answers; None: the target's default.
        journal: a file that keeps each record as it is made. A later call with the same tasks and an unchanged target
            takes from it what is there; a journal of anything else is begun anew.
        progress: called with the tasks done and in all.

    Returns:
        A record for each task, ranking metrics included. A task whose asking failed has an `error` and scores 0.

    Raises:
        UsageError: there are no tasks, or the target does not have the engine.
    """
    if not tasks:
        raise UsageError("there is nothing to ask: the set of cases is empty")
    texts = {document.id: document.text for document in target.documents()}
    with _Journal.open(journal, _fingerprint(target, tasks, engine)) as kept:
        if any(task.id not in kept.records for task in tasks):
            _ask(target, tasks[0], engine)  # a refused engine or a dead server ends the run here
        records = []
        for number, task in enumerate(tasks, start=1):
            record = kept.records.get(task.id) or _record(target, task, texts, engine)
            kept.add(record)
            records.append(record)
            progress(number, len(tasks))
    return metrics.rank_records(records)


def _record(target: Target, task: Task, texts: Mapping[str, str], engine: str | None) -> Record:
    started = time.perf_counter()
    try:
        answer = _ask(target, task, engine)
        latency = (time.perf_counter() - started) * 1000
        retrieved = _retrieved(target, task, answer["standalone_question"])
    # Whatever it raises is what the person who asked would have got instead of an answer.
    except Exception as error:  # noqa: BLE001
        latency = (time.perf_counter() - started) * 1000
        scores = metrics.score(task, {}, texts)
        return Record(task, {}, (), scores, latency, error=f"{type(error).__name__}: {error}")
    return Record(task, answer, retrieved, metrics.score(task, answer, texts), latency)


def _ask(target: Target, task: Task, engine: str | None) -> dict[str, Any]:
    ask = Ask(task.question, history=task.history, documents=task.documents, engine=engine)
    return target.answer(ask).to_dict()


def _retrieved(target: Target, task: Task, question: str) -> tuple[Retrieved, ...]:
    hits = target.search(Ask(question, documents=task.documents), top_k=TOP_K)
    return tuple(
        Retrieved(
            rank=rank,
            document_id=hit.document_id,
            language=hit.language,
            start=hit.start,
            end=hit.end,
            score=hit.score,
            right=any(p.meets(hit.document_id, hit.start, hit.end) for p in task.places),
        )
        for rank, hit in enumerate(hits, start=1)
    )


def _fingerprint(target: Target, tasks: Sequence[Task], engine: str | None) -> str:
    asked = (TypeAdapter(Task).dump_json(task).decode() for task in tasks)
    return sha256([json.dumps(dict(target.provenance()), sort_keys=True), str(engine), *asked])


class _Journal:
    """Records kept on disk, a line each below a line that says what they are of."""

    def __init__(self, path: Path | None, records: dict[str, Record]) -> None:
        self.records = records
        self._file = None if path is None else path.open("a", encoding="utf-8")

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path | None, fingerprint: str) -> Iterator[_Journal]:
        """Take up a journal of the same run, or begin one."""
        records = {}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            records = _read(path, fingerprint)
            # Written again without the half line that a kill may have left.
            lines = [json.dumps({"run": fingerprint}), *(_line(record) for record in records.values())]
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        journal = cls(path, records)
        try:
            yield journal
        finally:
            if journal._file is not None:
                journal._file.close()

    def add(self, record: Record) -> None:
        """Keep a record, unless it is there."""
        if self._file is not None and record.task.id not in self.records:
            self._file.write(f"{_line(record)}\n")
            self._file.flush()
        self.records[record.task.id] = record


def _line(record: Record) -> str:
    return _RECORD.dump_json(record).decode()


def _read(path: Path, fingerprint: str) -> dict[str, Record]:
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        if json.loads(head) != {"run": fingerprint}:
            return {}
    except (OSError, ValueError):
        return {}
    records = {}
    for line in lines:
        try:
            record = _RECORD.validate_json(line)
        except ValidationError:  # the line that was being written when the run was killed
            continue
        records[record.task.id] = record
    return records
