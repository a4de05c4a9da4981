"""`rag ask --file`: a line of answers for each question, and what is no file of questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from ui.cli import cli

if TYPE_CHECKING:
    from rag.settings import RagSettings


def test_a_file_of_questions_is_answered_line_by_line_and_goes_on(
    seed_settings: RagSettings, tmp_path: Path
) -> None:
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    lines = [
        "How many open datasets did Can Tho publish?",
        '{"id": "b", "question": "Who is the mayor of Atlantis?"}',
    ]
    questions.write_text("\n".join([*lines, "?!"]), "utf-8")
    environment = {"RAG_DATA_DIR": str(seed_settings.index.data_dir)}
    call = ["ask", "--file", str(questions), "--out", str(answers)]
    done = CliRunner().invoke(cli, call, env=environment, prog_name="rag")
    assert done.exit_code == 1, "a line is no question"
    found = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    assert [line["id"] for line in found] == ["1", "b", "3"]
    assert "540" in found[0]["answer"]["answer"]
    assert found[1]["answer"]["refused"]
    assert found[2]["error"] == "the question is empty: ask in words"
    # Cut off in the middle of a line: that one is asked again, what stands is left.
    kept = answers.read_text("utf-8").splitlines()
    answers.write_text(f"{kept[0]}\n{kept[1][:30]}", "utf-8")
    CliRunner().invoke(cli, call, env=environment, prog_name="rag")
    again = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    assert json.loads(kept[0]) == again[0]
    assert [line["id"] for line in again] == ["1", "b", "3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"question": 3}', "questions.jsonl:1: `question` is no text"),
        ('{"id": "a"}', "questions.jsonl:1: it is no JSON object with a `question`"),
        ('{"id": "a", "question": "Why?"}\n{"id": "a", "question": "Who?"}', "another line has the id 'a'"),
    ],
)
def test_a_file_that_holds_no_questions_is_told(
    seed_settings: RagSettings, tmp_path: Path, content: str, said: str
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(content, "utf-8")
    environment = {"RAG_DATA_DIR": str(seed_settings.index.data_dir)}
    done = CliRunner().invoke(cli, ["ask", "--file", str(questions)], env=environment, prog_name="rag")
    assert done.exit_code == 2
    assert said in done.stderr
