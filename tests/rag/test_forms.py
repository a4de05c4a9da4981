"""Answers take the form that the question asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from index.settings import IndexSettings
from index.upkeep import make_index
from rag.asking import Ask
from rag.assistant import Assistant
from rag.settings import RagSettings
from ui.answer_html import Viewer, said_html

OFFICE = """# Parental leave at the Marlow Water Board

Applicants for parental leave must hand in:

- a birth certificate
- a letter from the manager
- form PL-7

Parental leave lasts 40 weeks. The board has 14 drivers, 32 clerks and 6 vans. Technicians may not work from home.
The head of staff matters is Edith Calloway.
"""

FEES = "# Library fees{}\n\n{}\n\nA library card costs {} kronor a year. It is valid for twelve months.\n"


@pytest.fixture(scope="module")
def office(
    tmp_path_factory: pytest.TempPathFactory, make_data_dir: Callable[[Path], Path]
) -> Iterator[Assistant]:
    """An assistant that knows a page, and an older and a newer version of another."""
    folder = tmp_path_factory.mktemp("office")
    (folder / "leave.md").write_text(OFFICE, encoding="utf-8")
    (folder / "fees-2023.md").write_text(FEES.format("", "1 March 2023", 20), encoding="utf-8")
    (folder / "fees-2025.md").write_text(FEES.format(", new", "9 April 2025", 35), encoding="utf-8")
    data_dir = make_data_dir(tmp_path_factory.mktemp("forms") / "data")
    settings = RagSettings(index=IndexSettings(data_dir=data_dir, _env_file=None), _env_file=None)
    make_index(settings.index, [folder])
    with Assistant.open(settings) as opened:
        yield opened


def test_every_line_of_a_list_is_cited(office: Assistant) -> None:
    answer = office.answer(Ask("Which documents are required for parental leave?"))
    assert [citation.quote for citation in answer.citations] == [
        "a birth certificate",
        "a letter from the manager",
        "form PL-7",
    ]
    assert all(f"[{citation.marker}]" in answer.answer for citation in answer.citations)
    assert answer.short_answer is None


def test_each_of_several_questions_is_answered_by_itself(office: Assistant) -> None:
    streamed = list(
        office.stream(Ask("How many drivers does the board have and who is the head of staff matters?"))
    )
    answer = streamed[-1]
    said = "".join(getattr(piece, "text", "") for piece in streamed[:-1])
    assert [part.question for part in answer.parts] == [
        "How many drivers does the board have",
        "who is the head of staff matters?",
    ]
    assert [part.short_answer for part in answer.parts] == ["14", "Edith Calloway"]
    assert answer.short_answer == "14; Edith Calloway"
    assert [citation.marker for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert said == answer.answer


def test_a_part_that_the_documents_do_not_answer_is_refused_alone(office: Assistant) -> None:
    answer = office.answer(Ask("Who is the head of staff matters? What colour is the moon of Neptune?"))
    assert [part.refused for part in answer.parts] == [False, True]
    assert not answer.refused
    assert answer.confidence == "perhaps"


def test_where_documents_differ_each_is_shown_with_its_date_the_newer_first(office: Assistant) -> None:
    answer = office.answer(Ask("What does a library card cost a year?"))
    assert [(each.short_answer, each.date) for each in answer.alternatives] == [
        ("35 kronor", "2025-04-09"),
        ("20 kronor", "2023-03-01"),
    ]
    assert answer.confidence == "perhaps"
    assert answer.short_answer is None
    assert "April 9, 2025" in answer.answer
    page = said_html(answer, Viewer(language="sv", day=date(2026, 1, 2)))
    assert "Library fees&#44; new · 9 april 2025</button>" in page


def test_a_question_that_no_sentence_settles_is_refused(office: Assistant) -> None:
    assert office.answer(Ask("Is the moon of Neptune made of ice?")).refused


def test_no_few_words_are_cut_out_of_a_negation(office: Assistant) -> None:
    answer = office.answer(Ask("Can technicians work from home?"))
    assert answer.short_answer in {None, "No"}
    assert "Technicians may not work from home." in answer.answer


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many drivers are there?", "14"),
        ("How many clerks are there?", "32"),
        ("How many vans are there?", "6"),
    ],
)
def test_of_several_numbers_the_one_that_is_asked_for(
    office: Assistant, question: str, expected: str
) -> None:
    assert office.answer(Ask(question)).short_answer == expected


def test_what_is_not_sure_is_not_said_large(office: Assistant) -> None:
    sure = {}
    for question in ("How long does parental leave last?", "What is the weight of a van?"):
        answer = office.answer(Ask(question))
        sure[question] = answer.confidence
        begins_short = answer.short_answer is not None and answer.answer.startswith(answer.short_answer)
        assert begins_short == (answer.confidence == "answered" and answer.short_answer is not None)
        assert (answer.confidence == "none") == answer.refused
    assert sure["What is the weight of a van?"] != "answered"
