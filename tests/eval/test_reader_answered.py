"""How answered is told from not: the questions that measure it, the calibration error, the scale of the logits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from eval import reader_answered
from eval.fit_refusal import REFUSED, fit, fold_of
from eval.reader_answered import calibration_error, fit_scale, logits, pair_of, scaled, sigmoid
from eval.refusal_examples import Example, Seen, Work, collect
from eval.refusal_questions import LANGUAGES, OFF_TOPIC, OWN, Part, Unseen, off_topic_parts, parts_of
from index.embedder import Embedder
from index.settings import IndexSettings
from rag.evidence import Features

TOWNS = ("Alby", "Borna", "Celje")


def paragraph(town: str, language: str) -> dict[str, object]:
    context = f"{town} ({language}) was founded in 1200. People there sell iron."
    asks = [("when", f"When was {town} founded?", "1200"), ("what", f"What is sold in {town}?", "iron")]
    return {
        "context": context,
        "qas": [
            {
                "id": f"{town}-{name}",
                "question": question,
                "answers": [{"text": answer, "answer_start": context.index(answer)}],
            }
            for name, question, answer in asks
        ],
    }


def squad(language: str) -> dict[str, object]:
    return {"data": [{"title": town, "paragraphs": [paragraph(town, language)]} for town in TOWNS]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Public data in miniature: three articles, and two judged questions of each kind in each language."""
    xquad, squad2, nomiracl = (tmp_path / name for name in ("xquad-dev", "squad2-sv-dev", "nomiracl"))
    for folder in (xquad, squad2, nomiracl):
        folder.mkdir()
    for language in LANGUAGES:
        (xquad / f"xquad.{language}.json").write_text(json.dumps(squad(language)))
    second = squad("sv")
    second["data"][0]["paragraphs"][0]["qas"].append(  # type: ignore[index]
        {"id": "no", "question": "Who left Alby?", "is_impossible": True, "answers": []}
    )
    second["data"].reverse()  # type: ignore[attr-defined]
    (squad2 / "squad2.sv.json").write_text(json.dumps(second))
    for language in ("en", "hi"):
        for kind in ("relevant", "non_relevant"):
            lines = [
                {
                    "id": f"{kind}{i}",
                    "lang": language,
                    "question": f"{kind} {i}?",
                    "answerable": kind == "relevant",
                    "passages": [{"docid": "a", "text": f"{kind} text {i}."}],
                }
                for i in range(2)
            ]
            (nomiracl / f"{kind}.{language}.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


class TestQuestions:
    def test_only_what_the_reader_did_not_see_is_asked(self, data: Path) -> None:
        unseen = Unseen(
            ids=frozenset({"Alby-when", "Borna-what"}),
            judged=frozenset({"non_relevant 1?"}),
            texts=frozenset({"relevant text 0."}),
        )
        parts = {part.name: part for part in parts_of(data, unseen, per_pair=9, limit=9)}
        asked = {ask.case.id for ask in parts["xquad-hi"].asks if ask.case is not None}
        assert asked == {"Alby-when", "Borna-what"}
        assert {ask.question for ask in parts["squad2"].asks} == {
            "When was Alby founded?",
            "What is sold in Borna?",
        }
        assert [ask.question for ask in parts["nomiracl-en"].asks] == ["relevant 0?", "non_relevant 1?"]

    def test_an_article_is_in_one_fold_in_all_files(self, data: Path) -> None:
        parts = {part.name: part for part in parts_of(data, Unseen(), per_pair=9, limit=9)}
        folds = {ask.fold for ask in parts["squad2"].asks if "Alby" in ask.question}
        assert folds == {ask.fold for ask in parts["xquad-en"].asks if ask.case and ask.case.article == 0}

    def test_off_topic_questions_are_asked_of_their_article_and_of_another(self, data: Path) -> None:
        xquad = parts_of(data, Unseen(), per_pair=9, limit=9)[0]
        (part,) = off_topic_parts([xquad])
        assert (part.index, part.name) == (xquad.index, f"{xquad.name}.articles")
        for own, other in zip(part.asks[::2], part.asks[1::2], strict=True):
            assert own.case is not None
            assert (own.stratum, own.answered, own.names) == (OWN, True, (f"{own.case.article:02d}",))
            assert (other.stratum, other.answered, other.question) == (OFF_TOPIC, False, own.question)
            assert other.names is not None
            assert other.names != own.names


def test_what_was_asked_is_kept(
    data: Path, tmp_path: Path, make_data_dir: Callable[[Path], Path], embedder: Embedder
) -> None:
    settings = IndexSettings(data_dir=make_data_dir(tmp_path / "work"), _env_file=None)
    work = Work(settings.data_dir, embedder, settings, None, Unseen())
    whole: Part = parts_of(data, Unseen(), per_pair=1, limit=1)[0]
    part = replace(whole, asks=whole.asks[:2])
    told: list[str] = []
    found = collect([part], work, tell=told.append)
    assert [example.stratum for example in found] == ["xquad en->en", "article hidden"]
    assert told == ["xquad-en: 2 questions"]
    kept = work.folder / "xquad-en.examples.json"
    content = json.loads(kept.read_text())
    content["examples"][0]["asked_in"] = "kept"
    kept.write_text(json.dumps(content))
    assert [e.asked_in for e in collect([part], work, tell=told.append)] == ["kept", "en"]
    other = replace(part, asks=part.asks[:1])
    assert [e.asked_in for e in collect([other], work, tell=told.append)] == ["en"], "other questions"


@pytest.mark.parametrize(
    ("truth", "probabilities", "expected"),
    [
        pytest.param([1, 0], [0.5, 0.5], 0.0, id="right-on-average"),
        pytest.param([0, 0], [1.0, 1.0], 1.0, id="sure-and-wrong"),
        pytest.param([1, 0, 0, 0], [0.9, 0.9, 0.1, 0.1], (0.4 + 0.1) / 2, id="two-bins"),
        pytest.param([1, 1, 0], [0.95, 1.0, 0.0], 2 / 3 * 0.025, id="1-is-in-the-last-bin"),
    ],
)
def test_calibration_error(truth: list[int], probabilities: list[float], expected: float) -> None:
    assert calibration_error(np.array(truth, bool), np.array(probabilities)) == pytest.approx(expected)


def test_a_weight_of_two_is_two_examples() -> None:
    truth, probabilities = np.array([True, False, True]), np.array([0.7, 0.7, 0.2])
    twice = calibration_error(truth[[0, 0, 1, 2]], probabilities[[0, 0, 1, 2]])
    assert calibration_error(truth, probabilities, np.array([2.0, 1.0, 1.0])) == pytest.approx(twice)


FEATURES = Features(0.8, 0.1, 0.8, 1.0, 1.0, 0.0, 1.0, 1.0, 0.5, 0.5)


def made(count: int, *, sure: float, shift: float) -> list[Example]:
    """Questions in two pairs of languages whose logits are `sure` times too large; the second's are `shift` off."""
    random = Random(1)
    found = []
    for number in range(count):
        true, read_in = random.gauss(0, 1.5), ("en", "hi")[number % 2]
        answered = random.random() < float(sigmoid(np.array(true)))
        logit = sure * true + (shift if read_in == "hi" else 0.0)
        windows = (Seen(logit - 3, 0.0, None), Seen(logit, logit, None))
        stratum = (OWN if answered else OFF_TOPIC) if number % 3 else "squad2-sv"
        found.append(Example(stratum, f"f{number}", answered, FEATURES, FEATURES, "en", read_in, windows))
    return found


class TestScale:
    def test_finds_slope_and_offsets(self) -> None:
        examples = made(1500, sure=4.0, shift=6.0)
        scale = fit_scale(examples, by_pair=True)
        assert scale.slope == pytest.approx(1 / 4, rel=0.25)
        assert scale.offsets["en->hi"] - scale.offsets["en->en"] == pytest.approx(-6 / 4, rel=0.25)

    def test_has_no_offsets_where_pairs_are_alike(self) -> None:
        assert fit_scale(made(60, sure=1.0, shift=0.0), by_pair=False).offsets == {}

    def test_lowers_the_error_on_what_it_did_not_see(self) -> None:
        examples = made(1500, sure=4.0, shift=6.0)
        truth = np.array([e.answered for e in examples])
        before = calibration_error(truth, sigmoid(logits(examples)))
        assert calibration_error(truth, scaled(examples, by_pair=True)) < before / 2

    def test_a_half_is_judged_by_the_other(self) -> None:
        examples = made(200, sure=1.0, shift=0.0)
        other = [e for e in examples if fold_of(e, 2) == 1]
        mine = [e for e in examples if fold_of(e, 2) == 0]
        expected = fit_scale(other, by_pair=True).probabilities(logits(mine), [pair_of(e) for e in mine])
        assert scaled(examples, by_pair=True)[[fold_of(e, 2) == 0 for e in examples]] == pytest.approx(
            expected
        )


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_the_refusal_can_be_set_to_refuse_as_much(share: float) -> None:
    random = Random(2)
    examples = [
        Example(
            "xquad en->en" if answered else "article hidden",
            f"article {number}",
            answered,
            FEATURES,
            replace(FEATURES, read=random.betavariate(2 + 3 * answered, 3)),
            "en",
            "en",
        )
        for number in range(200)
        for answered in (True, False)
    ]
    fitted, by_default = fit(examples, read=True)
    moved, scores = fit(examples, read=True, refusing=share)
    assert by_default["refused: all, answered"] == pytest.approx(REFUSED, abs=0.01)
    assert scores["refused: all, answered"] == pytest.approx(share, abs=0.01)
    assert scores["all"] == by_default["all"]
    assert moved["weights"] == fitted["weights"]
    assert moved["intercept"] < fitted["intercept"], "it refuses more"  # type: ignore[operator]


def test_the_tables_have_a_row_for_each_kind_of_question() -> None:
    examples = made(300, sure=1.0, shift=0.0)
    told: list[str] = []
    rows = list(reader_answered.rows(examples))
    assert [row.name for row in rows] == [
        "all, sources alike",
        "squad2-sv",
        "off-topic, same language",
        "off-topic, across languages",
        "off-topic en -> en",
        "off-topic en -> hi",
    ]
    assert all(row.area["cosine"] == 0.5 for row in rows), "every cosine is the same"
    reader_answered.show(rows, told.append)
    assert len(told) == 2 * (1 + len(rows))
