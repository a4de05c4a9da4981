"""Asking: what becomes of each question, and that a stopped run goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from eval.records import Place, Task
from eval.run import run
from eval.target import InProcess
from index.errors import UsageError, WorkError
from rag.answer import Answer, Turn
from rag.asking import Ask

if TYPE_CHECKING:
    from rag.assistant import Assistant

CODE = Task(
    "code.en", "code", "en", "Which resolution of the Politburo was evaluated at the meeting in Can Tho?"
)
MOON = Task("moon.en", "moon", "en", "How far away is the moon?", stratum="off-topic")


class Counted(InProcess):
    """The real thing, which also counts what it is asked."""

    def __init__(self, assistant: Assistant, *, fails_on: str = "") -> None:
        super().__init__(assistant, provenance={"models": "as they are"})
        self.asked: list[str] = []
        self._fails_on = fails_on

    def answer(self, ask: Ask) -> Answer:
        """Answer, or fail as a server that went away would."""
        self.asked.append(ask.text)
        if ask.text == self._fails_on and len(self.asked) > 1:
            raise WorkError("the server went away")
        return super().answer(ask)


@pytest.fixture
def tasks(assistant: Assistant) -> list[Task]:
    """A question the shipped documents answer, in two languages, and one they do not."""
    target = InProcess(assistant, provenance={})
    document = next(d for d in target.documents() if "57-NQ/TW" in d.text)
    start = document.text.index("57-NQ/TW")
    place = Place(document.id, document.language, start, start + len("57-NQ/TW"))
    english = replace(CODE, places=(place,), expected=("57-NQ/TW",))
    swedish = replace(
        english,
        id="code.sv",
        language="sv",
        question="Vilken resolution från politbyrån utvärderades i Can Tho?",
    )
    return [english, swedish, MOON]


def test_every_task_has_its_record(assistant: Assistant, tasks: list[Task]) -> None:
    seen: list[tuple[int, int]] = []
    records = run(Counted(assistant), tasks, progress=lambda done, total: seen.append((done, total)))
    assert [record.task for record in records] == tasks
    assert seen == [(1, 3), (2, 3), (3, 3)]
    english, _, moon = records
    assert english.retrieved[0].rank == 1
    assert any(hit.right for hit in english.retrieved)
    assert english.scores["recall@10"] == 1.0
    assert english.scores["citation_exact"] == 1.0
    assert english.answer["question"] == tasks[0].question
    assert english.latency_ms > 0
    assert not any(hit.right for hit in moon.retrieved)
    assert set(moon.scores) >= {"refused", "answer_language"}
    assert "recall@10" not in moon.scores


def test_a_follow_up_is_searched_as_it_was_completed(assistant: Assistant, tasks: list[Task]) -> None:
    first = tasks[0].question
    follow_up = replace(
        tasks[0],
        id="again.en",
        question="and who chaired it?",
        history=(Turn("user", first), Turn("assistant", "57-NQ/TW [1]")),
    )
    (record,) = run(Counted(assistant), [follow_up])
    assert record.answer["standalone_question"] != follow_up.question
    assert any(hit.right for hit in record.retrieved)


def test_a_question_that_fails_is_a_record_with_zeros(assistant: Assistant, tasks: list[Task]) -> None:
    records = run(Counted(assistant, fails_on=tasks[1].question), tasks)
    assert [record.error for record in records] == [None, "WorkError: the server went away", None]
    assert records[1].scores
    assert set(records[1].scores.values()) == {0.0}


def test_nothing_to_ask_is_an_error(assistant: Assistant) -> None:
    with pytest.raises(UsageError, match="the set of cases is empty"):
        run(Counted(assistant), [])


def test_an_engine_that_is_not_there_ends_the_run(assistant: Assistant, tasks: list[Task]) -> None:
    with pytest.raises(UsageError, match="no model server is configured"):
        run(Counted(assistant), tasks, engine="llm")


def journal_of(assistant: Assistant, tasks: Sequence[Task], path: Path) -> list[str]:
    target = Counted(assistant)
    run(target, tasks, journal=path)
    return target.asked


def test_a_stopped_run_goes_on_where_it_was(assistant: Assistant, tasks: list[Task], tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal.jsonl"
    whole = run(Counted(assistant), tasks, journal=path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == 1 + len(tasks)
    path.write_text("".join(lines[:2]) + lines[2][: len(lines[2]) // 2], encoding="utf-8")  # killed in a line
    target = Counted(assistant)
    again = run(target, tasks, journal=path)
    # The first question once more before the clock runs, then only what is missing.
    assert target.asked == [tasks[0].question, tasks[1].question, tasks[2].question]
    assert [r.scores for r in again] == [r.scores for r in whole]
    assert again[0] == whole[0]
    assert journal_of(assistant, tasks, path) == []


@pytest.mark.parametrize("what", ["question", "journal"])
def test_a_journal_of_something_else_is_begun_anew(
    assistant: Assistant, tasks: list[Task], tmp_path: Path, what: str
) -> None:
    path = tmp_path / "journal.jsonl"
    journal_of(assistant, tasks, path)
    if what == "question":
        tasks = [replace(tasks[0], question="Which resolution was it?"), *tasks[1:]]
    else:
        path.write_text("what is this?\n", encoding="utf-8")
    assert len(journal_of(assistant, tasks, path)) == 1 + len(tasks)
    head, *rest = path.read_text(encoding="utf-8").splitlines()
    assert set(json.loads(head)) == {"run"}
    assert len(rest) == len(tasks)
