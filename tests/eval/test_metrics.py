"""Metrics of one question: expected values as arithmetic, edge cases first."""

from __future__ import annotations

from typing import Any

import pytest
from scored import ALL, CITED, ELSEWHERE, PLACES, RIGHT, TEXTS, WRONG, answer, citation, refused, task

from eval import metrics
from eval.metrics import score
from eval.records import Stratum, Task

# strings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected", "value"),
    [
        pytest.param("", ["540"], 0, id="empty answer"),
        pytest.param("540", [], 0, id="nothing expected"),
        pytest.param("উত্তর: ৫৪০ টিরও বেশি [1]", ["540"], 1, id="bengali digits"),
        pytest.param("5400 [1]", ["540"], 0, id="another number"),
        pytest.param("It says so [1]", ["1"], 0, id="a marker is not an answer"),
        pytest.param("ক্যান থোর মানুষ", ["Can Tho", "ক্যান থো"], 1, id="any of"),
    ],
)
def test_answer_match(text: str, expected: list[str], value: float) -> None:
    assert metrics.answer_match(text, expected) == value


@pytest.mark.parametrize(
    ("short", "expected", "language", "value"),
    [
        pytest.param(None, ["540"], "en", 0, id="none"),
        pytest.param("", ["540"], "en", 0, id="empty"),
        pytest.param("540", [], "en", 0, id="nothing expected"),
        pytest.param("+", ["~"], "en", 0, id="signs only"),
        pytest.param("540+", ["540"], "en", 1, id="more than"),
        pytest.param("~540", ["540"], "en", 1, id="about"),
        pytest.param("<540", ["540"], "en", 1, id="less than"),
        pytest.param(">=25%", ["25 percent"], "en", 1, id="at least"),
        pytest.param("1,540", ["১৫৪০"], "bn", 1, id="grouped and bengali"),
        pytest.param("540", ["540 data sets"], "en", 1, id="number of a phrase"),
        pytest.param("540 data sets", ["540"], "en", 1, id="phrase of a number"),
        pytest.param("84/167", ["84"], "en", 1, id="of a ratio"),
        pytest.param("54", ["540"], "en", 0, id="part of a number"),
        pytest.param("1.5", ["15"], "en", 0, id="a decimal is not joined"),
        pytest.param("1.5", ["5"], "en", 0, id="decimals"),
        pytest.param("3", ["3 May 1999"], "en", 0, id="the day of a date"),
        pytest.param("3 May 1999", ["1999"], "en", 1, id="the year of a date"),
        pytest.param("Tran", ["Tran Van Linh"], "vi", 1, id="part of a name"),
        pytest.param("Tra", ["Tran Van Linh"], "vi", 0, id="part of a word"),
        pytest.param("ক্যান থোর", ["ক্যান থো"], "bn", 1, id="bengali ending"),
        pytest.param("Göteborgs", ["Göteborg"], "sv", 1, id="swedish genitive"),
        pytest.param("५४०", ["५४०"], "hi", 1, id="hindi"),
        pytest.param("芹苴", ["芹苴市"], "zh", 1, id="chinese"),
    ],
)
def test_short_answer_match(short: str | None, expected: list[str], language: str, value: float) -> None:
    assert metrics.short_answer_match(short, expected, language=language) == value


@pytest.mark.parametrize(
    ("said", "expected", "language", "exact", "f1"),
    [
        pytest.param("", ["a city"], "en", 0, 0, id="empty"),
        pytest.param("a city", [], "en", 0, 0, id="nothing expected"),
        pytest.param("The City!", ["a city"], "en", 1, 1, id="articles and case"),
        pytest.param("big city", ["city"], "en", 0, 2 * (1 / 2) * 1 / (1 / 2 + 1), id="half right"),
        pytest.param(
            "no no yes", ["no"], "en", 0, 2 * (1 / 3) * 1 / (1 / 3 + 1), id="repeated words count once"
        ),
        pytest.param(
            "river", ["city", "long river"], "en", 0, 2 * 1 * (1 / 2) / (1 + 1 / 2), id="the best of"
        ),
        pytest.param("৫৪০ টি", ["540 টি"], "bn", 1, 1, id="bengali digits"),
        pytest.param("क्षेत्र में", ["क्षेत्र"], "hi", 0, 2 * (1 / 2) * 1 / (1 / 2 + 1), id="hindi words stay whole"),
        pytest.param(
            "芹苴市", ["芹苴"], "zh", 0, 2 * (2 / 3) * 1 / (2 / 3 + 1), id="chinese by the character"
        ),
        pytest.param("en stad på Öland", ["Öland"], "sv", 0, 2 * (1 / 3) * 1 / (1 / 3 + 1), id="swedish"),
    ],
)
def test_exact_match_and_f1(said: str, expected: list[str], language: str, exact: float, f1: float) -> None:
    assert metrics.exact_match(said, expected, language) == exact
    assert metrics.f1(said, expected, language) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("text", "expected", "value"),
    [
        pytest.param("", ["Tran"], 0, id="empty answer"),
        pytest.param("Tran", [], 0, id="nothing expected"),
        pytest.param("Tran", ["!"], 0, id="signs expected"),
        pytest.param("by Nguyen Tran", ["Tran"], 1, id="all of it"),
        pytest.param("Trankebar", ["Trank"], 3 / 3, id="inside a word"),
        pytest.param("Tranh", ["Trang"], 2 / 3, id="tra ran, not ang"),
        pytest.param("5 km", ["5"], 1, id="short words count whole"),
        pytest.param("54 km", ["5"], 0, id="and only whole"),
        pytest.param("aaa", ["aaaa"], 1 / 2, id="repetition counts"),
        pytest.param("xyz tran", ["abc", "Tranq"], 2 / 3, id="the best of"),
        pytest.param("is said [540]", ["540"], 0, id="a marker is not an answer"),
        pytest.param("কলকাতার", ["কলকাতা"], 1, id="bengali ending"),
    ],
)
def test_char3_recall(text: str, expected: list[str], value: float) -> None:
    assert metrics.char3_recall(text, expected) == pytest.approx(value)


# citations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("citations", "exact", "precision", "recall", "evidence"),
    [
        pytest.param([], None, None, 0, (0, 0), id="none"),
        pytest.param([RIGHT], 1, 1, 1, (1, 1), id="right"),
        pytest.param([WRONG], 1, 0, 0, (0, 0), id="another document"),
        pytest.param([ELSEWHERE], 1, 1, 1, (0, 0), id="elsewhere in the document"),
        pytest.param([WRONG, RIGHT], 2 / 2, 1 / 2, 1, (0, 1), id="second is right"),
        pytest.param([RIGHT, WRONG, ELSEWHERE], 3 / 3, 2 / 3, 1, (1, 1), id="first is right"),
        pytest.param([RIGHT | {"quote": "paraphrase"}], 0, 1, 1, (1, 1), id="not the words"),
        pytest.param([citation("gone", 0, 3, quote="abc")], 0, 0, 0, (0, 0), id="no such document"),
        pytest.param([citation("gone", 0, 3)], 0, 0, 0, (0, 0), id="an empty quote is none"),
        pytest.param([citation("sv1", 40, 49)], 1, 1, 1, (0, 0), id="begins where the place ends"),
        pytest.param([citation("bn1", 16, 20)], 1, 1, 1, (1, 1), id="another language version"),
    ],
)
def test_citations(
    citations: list[dict[str, Any]],
    exact: float | None,
    precision: float | None,
    recall: float,
    evidence: tuple[float, float],
) -> None:
    assert metrics.citation_exact(citations, TEXTS) == exact
    assert metrics.citation_precision(citations, PLACES) == precision
    assert metrics.citation_recall(citations, PLACES) == recall
    found = metrics.evidence_first(citations, PLACES), metrics.evidence_any(citations, PLACES)
    assert found == evidence


# one answer -------------------------------------------------------------------------------------------------


def test_a_right_answer_scores_one_on_everything() -> None:
    assert score(task(), answer(), TEXTS) == dict.fromkeys(
        (*ALL, *CITED, "citation_exact", "answer_language"), 1.0
    )


def test_an_answer_without_a_short_one_is_scored_by_its_quote() -> None:
    found = score(task(), answer(short_answer=None), TEXTS)
    # Of "staden can tho har publicerat mer än 540 dataset", one of nine tokens is the expected one.
    assert found["f1"] == pytest.approx(2 * (1 / 9) * 1 / (1 / 9 + 1))
    assert (found["short_answer"], found["answer_match"]) == (0, 1)


@pytest.mark.parametrize(
    ("asked", "absent"),
    [
        pytest.param(task(tags=()), {"short_answer"}, id="no short answer due"),
        pytest.param(task(expected=()), {*ALL} - {"answered"}, id="no expected strings"),
        pytest.param(task(places=()), {*CITED}, id="no places"),
    ],
)
@pytest.mark.parametrize(
    "came", [pytest.param(answer(), id="answered"), pytest.param(refused(), id="refused")]
)
def test_what_does_not_apply_is_left_out(asked: Task, absent: set[str], came: dict[str, Any]) -> None:
    every = {*ALL, *CITED, "citation_exact", "answer_language"}
    assert score(asked, came, TEXTS).keys() == every - absent


def test_a_refused_answerable_question_scores_zero() -> None:
    # Its citations are the nearest passages: exact, but no evidence even where they hold the answer.
    found = score(task(), refused(citations=[RIGHT]), TEXTS)
    assert found == dict.fromkeys((*ALL, *CITED), 0.0) | {"citation_exact": 1.0, "answer_language": 1.0}


def test_an_answer_without_citations_has_no_precision() -> None:
    found = score(task(), answer((), answer="The source says there are 540."), TEXTS)
    assert found.keys() == {*ALL, *CITED, "answer_language"} - {"citation_precision"}
    assert (found["evidence"], found["citation_recall"], found["answer_match"]) == (0, 0, 1)


@pytest.mark.parametrize("stratum", ["off-topic", "unanswered", "near-miss"])
@pytest.mark.parametrize(
    ("came", "value"), [pytest.param(refused(), 1, id="refused"), pytest.param(answer(), 0, id="answered")]
)
def test_a_question_to_refuse(stratum: Stratum, came: dict[str, Any], value: float) -> None:
    expected = {"refused": value, "citation_exact": 1, "answer_language": 1}
    assert score(task(stratum), came, TEXTS) == expected


def test_an_answer_in_another_language() -> None:
    swedish = answer(answer=f"540 — källan säger: ”{RIGHT['quote']}” [1]")
    assert score(task(), swedish, TEXTS)["answer_language"] == 0


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        pytest.param(task(), {*ALL, *CITED, "answer_language"}, id="answerable"),
        pytest.param(task("off-topic"), {"refused", "answer_language"}, id="to refuse"),
    ],
)
def test_failing_to_answer_scores_zero(asked: Task, names: set[str]) -> None:
    assert score(asked, {}, TEXTS) == dict.fromkeys(names, 0.0)
