"""Metrics of one question: expected values as arithmetic, edge cases first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import metrics
from eval.metrics import RANKING_METRICS, answer_language, rank_records, ranking, score
from eval.records import Place, Record, Retrieved, Stratum, Task
from index.lexicon import languages, lexicon

TEXTS = {
    "bn1": "ক্যান থো শহর ৫৪০ টিরও বেশি ডেটা সেট প্রকাশ করেছে।",
    "sv1": "Staden Can Tho har publicerat mer än 540 dataset.",
    "other": "Göteborg har en stor hamn.",
}
PLACES = (Place("bn1", "bn", 14, 17), Place("sv1", "sv", 37, 40))
EXPECTED = ("540",)
ALL = ("answered", "answer_match", "char3_recall", "f1", "short_answer")
CITED = ("evidence@1", "evidence", "citation_recall", "citation_precision")


def citation(document_id: str, start: int, end: int, **changes: Any) -> dict[str, Any]:
    return {
        "marker": 1,
        "document_id": document_id,
        "language": document_id[:2],
        "quote": TEXTS.get(document_id, "")[start:end],
        "start": start,
        "end": end,
    } | changes


RIGHT = citation("sv1", 0, len(TEXTS["sv1"]))
WRONG = citation("other", 0, len(TEXTS["other"]))
ELSEWHERE = citation("sv1", 0, 14)


def answer(citations: Sequence[Mapping[str, Any]] = (RIGHT,), **changes: Any) -> dict[str, Any]:
    quote = citations[0]["quote"] if citations else ""
    return {
        "answer": f"540+ — the source says: “{quote}” [1]",
        "short_answer": "540+",
        "language": "en",
        "refused": False,
        "citations": list(citations),
    } | changes


def refused(**changes: Any) -> dict[str, Any]:
    text = lexicon("en").notices["refusal"]
    return answer((WRONG,), answer=text, short_answer=None, refused=True) | changes


def task(stratum: Stratum = "answerable", **changes: Any) -> Task:
    options: dict[str, Any] = {"places": PLACES, "expected": EXPECTED, "tags": ("short",)}
    if stratum != "answerable":
        options = {"places": (), "expected": (), "tags": ()}
    return Task("t1", "g1", "en", "How many data sets?", stratum=stratum, **(options | changes))


def passages(*right: bool) -> tuple[Retrieved, ...]:
    return tuple(
        Retrieved(rank, f"d{rank}", "sv", 0, 10, 1 / rank, good) for rank, good in enumerate(right, start=1)
    )


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


# the language of the answer ---------------------------------------------------------------------------------

NAMES = ["2025", "Göteborg", "Thành phố Cần Thơ", "ক্যান থো", "कान थो", "Ho Chi Minh City", "東京", "القاهرة"]
# The remaining notices are single words that the chat page shows beside an answer.
SAID = [
    "answer",
    "answer_quote",
    "also",
    "refusal",
    "refusal_empty",
    "refusal_name",
    "refusal_number",
    "nearest",
]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("notice", SAID)
@pytest.mark.parametrize("quoted", TEXTS)
def test_every_notice_is_in_its_language(language: str, notice: str, quoted: str) -> None:
    quote = TEXTS[quoted]
    for name in NAMES:
        text = lexicon(language).notices[notice].format(short=name, quote=quote, marker="[1]", name=name)
        cited = (citation(quoted, 0, len(quote)),)
        short = name if notice == "answer" else None
        # "de" is none of the tables, so only detection can be right.
        found = answer_language(answer(cited, answer=text, short_answer=short, language="de"))
        assert found == language, text


@pytest.mark.parametrize(
    ("text", "short", "expected"),
    [
        pytest.param("", None, "bn", id="empty"),
        pytest.param("540 [1]", "540", "bn", id="nothing but the short answer"),
        pytest.param(
            f"“{TEXTS['sv1']}” [1] https://example.org/a/long/english/path", None, "bn", id="quote and URL"
        ),
        pytest.param("the end [1]", None, "bn", id="under eight letters"),
        pytest.param(
            "As the report explains, the city published several new data sets [1].", None, "en", id="no quote"
        ),
        pytest.param(
            "en: Staden har publicerat många nya dataset", "en", "sv", id="a short answer that is a word"
        ),
    ],
)
def test_what_the_assistant_says_itself(text: str, short: str | None, expected: str) -> None:
    assert answer_language(answer(answer=text, short_answer=short, language="bn")) == expected


def test_an_empty_quote_takes_nothing_out() -> None:
    said = "The indexed documents do not answer this question."
    assert (
        answer_language(answer((citation("gone", 0, 3),), answer=said, short_answer=None, language="de"))
        == "en"
    )


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
