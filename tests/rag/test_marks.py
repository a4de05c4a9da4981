"""Codes and dates that tell one record from its neighbours, and the records that this is measured on."""

from __future__ import annotations

import pytest

from eval.studies.records import records
from rag.matching.lexical import matched, text_terms, wanted
from rag.matching.marks import agreement, marks_in
from rag.question import analyse

HERE, ELSEWHERE, UNKNOWN = 1, -1, 0


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        pytest.param("barn 7-1-5?", "Barn 7-1-5 holds hay.", HERE, id="the code"),
        pytest.param("barn 7-1-5?", "Barn 7-1-6 holds hay.", ELSEWHERE, id="a neighbour"),
        pytest.param("barn 7-1-5?", "Barns 7-1-6 and 7-1-5.", HERE, id="both"),
        pytest.param("barn 7-1-5?", "Form AB-1234/21 of the barn.", UNKNOWN, id="a code of another form"),
        pytest.param("barn 7-1-5?", "It held 715 bales in 2021.", UNKNOWN, id="a number of its figures"),
        pytest.param(
            "barn 7-1-5 on 12 March 2021?", "Barn 7-1-5, 13 March 2021.", ELSEWHERE, id="another date"
        ),
        pytest.param("On 12 March 2021?", "On ১২ মার্চ ২০২১.", HERE, id="the date in another language"),
        pytest.param(
            "On 12 March 2021?", "On March 12, 2021 and 3 May 2020.", HERE, id="the date and another"
        ),
        pytest.param("On 12 March 2021?", "In March 2021 and on 12 May.", UNKNOWN, id="parts of a date"),
        pytest.param("How much hay?", "Barn 7-1-5, 13 March 2021.", UNKNOWN, id="neither is asked for"),
    ],
)
def test_what_a_passage_states(question: str, text: str, expected: int) -> None:
    language = "bn" if "ম" in text else "en"
    asked = marks_in(question, "en")
    assert (agreement(asked, marks_in(text, language)) if asked else UNKNOWN) == expected


@pytest.mark.parametrize("written", ["7-1-5", "৭-১-৫", "57-NQ/TW", "2021-0457"])
def test_a_code_is_looked_for_as_a_whole(written: str) -> None:
    asked = wanted(analyse(f"What about {written}?", language="en"))
    of_it = next(term for term in asked.terms if len(term.words) > 1 and term.forms)
    assert of_it in matched(asked, text_terms(f"Of {written}: nothing.", "sv"))
    assert of_it not in matched(asked, text_terms(f"Of 1{written} and 3-1-5: nothing.", "sv"))


def test_records_differ_and_each_is_asked_about() -> None:
    made = list(records(1000))
    assert len({path for path, _, _ in made}) == len({text for _, text, _ in made}) == 1000
    asked = [each for _, _, questions in made for each in questions]
    assert len({each.question for each in asked}) == len(asked) == 3000
    assert len({each.language for each in asked}) == 5
    for _, text, (by_code, by_date, _) in made[::97]:
        for each in (by_code, by_date):
            assert agreement(marks_in(each.question, each.language), marks_in(text, each.language)) == HERE, (
                text
            )
