"""What `rag.scoring` makes of features."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from rag import scoring
from rag.scoring import MODEL_FILE, AnswerFeatures, SentenceFeatures, ShortFeatures

READ = SentenceFeatures(behind=0.1, cosine=0.85, margin=2.0, answers=1.0)
ANSWER = AnswerFeatures(score=1.0, lead=0.5, passage=0.8, names=1.0, numbers=1.0, same_language=1.0)


def by_hand(name: str, values: dict[str, float | None], language: str) -> float:
    """Log odds as the file has them."""
    model = json.loads(MODEL_FILE.read_text("utf-8"))["models"][name]
    weighed = sum(weight * (values[key] or 0.0) for key, weight in model["weights"].items())
    return float(model["intercept"] + model["languages"].get(language, 0.0) + weighed)


@pytest.mark.parametrize("language", ["hi", "xx"])
def test_a_score_is_a_weighed_sum(language: str) -> None:
    assert scoring.sentence(READ) == pytest.approx(by_hand("sentence.reader", asdict(READ), ""))
    odds = by_hand("answered.reader", asdict(ANSWER), language)
    assert scoring.answered(ANSWER, language, read=True) == pytest.approx(scoring.probability(odds))


def test_what_was_not_read_is_judged_by_similarity_alone() -> None:
    unread = replace(READ, margin=None, answers=None)
    assert scoring.sentence(unread) == pytest.approx(by_hand("sentence.similarity", asdict(unread), ""))


def test_what_the_reader_is_surer_of_is_likelier() -> None:
    assert scoring.sentence(replace(READ, margin=8.0)) > scoring.sentence(READ)
    for read in (True, False):
        likelier = scoring.answered(replace(ANSWER, score=6.0), "en", read=read)
        assert likelier > scoring.answered(ANSWER, "en", read=read)
    short = ShortFeatures(margin=1.0, share=0.5, words=2.0, figure=1.0, misses=0.0)
    assert scoring.short(replace(short, margin=8.0), "en") > scoring.short(short, "en")


@pytest.mark.parametrize("odds", [-1000.0, -3.0, 0.0, 3.0, 1000.0])
def test_probabilities_and_log_odds_are_each_others_inverse(odds: float) -> None:
    assert 0 <= scoring.probability(odds) <= 1
    assert scoring.log_odds(scoring.probability(odds)) == pytest.approx(max(-20.0, min(20.0, odds)), abs=0.1)
