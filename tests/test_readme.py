"""What the README shows is what the product says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.asking import Ask
from rag.assistant import Assistant

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
SHOWN = [
    [cell.strip() for cell in line.split("|")[1:4]]
    for line in README.splitlines()
    if line.startswith("| ") and "540+" in line
]


def test_the_pasted_answer_is_todays_answer(assistant: Assistant) -> None:
    answer = assistant.answer(Ask("How many open datasets did Can Tho publish?"))
    assert answer.answer in README
    assert answer.citations[0].source_url in README


@pytest.mark.parametrize(("language", "question", "shown"), SHOWN, ids=[row[0] for row in SHOWN])
def test_the_table_of_languages_is_todays(
    assistant: Assistant, language: str, question: str, shown: str
) -> None:
    assert assistant.answer(Ask(question)).answer.startswith(shown.split(" …", maxsplit=1)[0])


def test_five_languages_are_shown() -> None:
    assert len(SHOWN) == 5
