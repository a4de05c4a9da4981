"""Metrics of ranking: expected values as arithmetic, edge cases first."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scored import answer, passages, task

from eval.metrics import RANKING_METRICS, rank_records, ranking
from eval.records import Record, Retrieved, Task

# ranking ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relevant", "ranked", "expected"),
    [
        pytest.param("a", "a", [1, 1, 1, 1, 1], id="first"),
        pytest.param("a", "xa", [0, 1, 1, 1 / 2, 1 / math.log2(2 + 1)], id="second"),
        pytest.param("a", "uvwxya", [0, 0, 1, 1 / 6, 1 / math.log2(6 + 1)], id="sixth"),
        pytest.param("a", "0123456789a", [0, 0, 0, 0, 0], id="eleventh"),
        pytest.param("a", "xyz", [0, 0, 0, 0, 0], id="missed"),
        pytest.param("a", "", [0, 0, 0, 0, 0], id="nothing ranked"),
        pytest.param(
            "a", "xxxa", [0, 1, 1, 1 / 2, 1 / math.log2(2 + 1)], id="repeated ids keep the first rank"
        ),
        pytest.param("a", "aaaa", [1, 1, 1, 1, 1], id="a repeated relevant id counts once"),
        pytest.param(
            "ab",
            "axb",
            [1 / 2, 2 / 2, 2 / 2, 1, (1 + 1 / math.log2(3 + 1)) / (1 + 1 / math.log2(2 + 1))],
            id="two relevant",
        ),
    ],
)
def test_ranking(relevant: str, ranked: str, expected: list[float]) -> None:
    found = ranking({"q": list(relevant)}, {"q": list(ranked)})
    assert found == {"q": pytest.approx(dict(zip(RANKING_METRICS, expected, strict=True)))}


def test_ranking_of_a_question_that_is_not_ranked_is_zero() -> None:
    assert ranking({"q": ["a"]}, {"other": ["a"]}) == {"q": dict.fromkeys(RANKING_METRICS, 0.0)}


@pytest.mark.parametrize(
    "relevant", [pytest.param({}, id="no questions"), pytest.param({"q": []}, id="no ids")]
)
def test_ranking_leaves_out_what_has_no_relevant_ids(relevant: dict[str, list[str]]) -> None:
    assert ranking(relevant, {"q": ["a"]}) == {}


def test_ranking_takes_ids_in_any_script() -> None:
    assert ranking({"প্রশ্ন 1": ["ö a"]}, {"প্রশ্ন 1": ["x", "ö a"]})["প্রশ্ন 1"]["mrr@10"] == 1 / 2


@given(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=20))
def test_reciprocal_rank_is_that_of_a_slow_count(ranked: list[str]) -> None:
    unique = list(dict.fromkeys(ranked))
    place = unique.index("a") + 1 if "a" in unique else 11
    assert ranking({"q": ["a"]}, {"q": ranked})["q"]["mrr@10"] == pytest.approx(
        1 / place if place <= 10 else 0
    )


# records ----------------------------------------------------------------------------------------------------


def record(asked: Task, retrieved: tuple[Retrieved, ...]) -> Record:
    return Record(asked, answer(), retrieved, {"answered": 1.0}, 12.0)


@pytest.mark.parametrize(
    ("retrieved", "expected"),
    [
        pytest.param((), [0, 0, 0, 0, 0], id="nothing retrieved"),
        pytest.param(passages(True, False), [1, 1, 1, 1, 1], id="first"),
        pytest.param(
            passages(False, True, True), [0, 1, 1, 1 / 2, 1 / math.log2(2 + 1)], id="two versions, one unit"
        ),
        pytest.param(
            passages(False, True)[::-1], [0, 1, 1, 1 / 2, 1 / math.log2(2 + 1)], id="not in order of rank"
        ),
        pytest.param(passages(False, False), [0, 0, 0, 0, 0], id="all wrong"),
    ],
)
def test_rank_records(retrieved: tuple[Retrieved, ...], expected: list[float]) -> None:
    (found,) = rank_records([record(task(), retrieved)])
    assert found.scores == pytest.approx(
        {"answered": 1.0} | dict(zip(RANKING_METRICS, expected, strict=True))
    )


def test_records_keep_their_order_and_those_without_places_are_left_as_they_are() -> None:
    records = [
        record(task("off-topic"), passages(False)),
        record(task(), passages(False, True)),
        record(task(places=()), passages(True)),
        record(task(), passages(True)),  # the same id, asked in another index
    ]
    found = rank_records(records)
    assert [r.scores.get("mrr@10") for r in found] == [None, 1 / 2, None, 1]
    assert [found[0], found[2]] == [records[0], records[2]]


def test_no_records() -> None:
    assert rank_records([]) == []
