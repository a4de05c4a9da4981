"""What a sentence, an answer and a short answer are worth: logistic models over what was found out about them.

Three models, fitted together on public data by `eval.learning.fit`; their coefficients lie beside this file with the
recipe that made them. Each exists with a reader and without one, and has an offset for each language it was fitted on.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

MODEL_FILE = Path(__file__).with_name("scoring.json")


@dataclass(frozen=True, slots=True)
class SentenceFeatures:
    """What a sentence's score rests on.

    Attributes:
        passage: score of its passage in retrieval, about 0.4 to 1.1.
        behind: how far that stands behind the best passage's.
        cosine: of sentence and question.
        focused: of the sentence and the question's focus, its words without those that many sentences share.
        margin: how far the reader's best span within it stands above "no answer", a logit; None where it was not read.
        answers: the reader's logit that the passage answers; None where it was not read.
    """

    passage: float
    behind: float
    cosine: float
    focused: float
    margin: float | None
    answers: float | None


@dataclass(frozen=True, slots=True)
class AnswerFeatures:
    """What the decision to answer or refuse rests on.

    Attributes:
        score: of the best sentence, log odds.
        lead: how far it stands above the best sentence of another document, at most 10; 0 where there is none.
        answers: the reader's logit that its passage answers; None where it was not read.
        passage: score of its passage without its bonus for words, a cosine.
        cosine: of sentence and question.
        above: how far that stands above the mean of all sentences looked at.
        names: part of the question's names that its document holds; 1 when it has none.
        numbers: part of the question's numbers that its document holds; 1 when it has none.
        same_language: 1 when the passage is in the question's language.
    """

    score: float
    lead: float
    answers: float | None
    passage: float
    cosine: float
    above: float
    names: float
    numbers: float
    same_language: float


@dataclass(frozen=True, slots=True)
class ShortFeatures:
    """What showing a short answer rests on.

    Attributes:
        answered: log odds that the question is answered.
        score: of the sentence, log odds.
        margin: how far the span stands above "no answer", a logit.
        share: probability of the span, and of those that share a token with it, among all of its window.
        words: words of the short answer, at most 12.
        figure: 1 where a number or date is asked for and the short answer holds one.
        misses: 1 where one is asked for and the short answer holds none.
    """

    answered: float
    score: float
    margin: float
    share: float
    words: float
    figure: float
    misses: float


def sentence(features: SentenceFeatures, language: str) -> float:
    """The log odds that a sentence answers; `language`: its own."""
    return _log_odds("sentence", features, language)


def answered(features: AnswerFeatures, language: str) -> float:
    """The probability, 0 to 1, that the evidence answers; `language`: the question's."""
    return probability(_log_odds("answered", features, language))


def short(features: ShortFeatures, language: str) -> float:
    """The probability, 0 to 1, that a short answer is right; `language`: the question's."""
    return probability(_log_odds("short", features, language))


def probability(log_odds: float) -> float:
    """Of log odds."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, log_odds))))


def log_odds(probability: float) -> float:
    """Of a probability, within e^±20."""
    inside = min(max(probability, 2e-9), 1 - 2e-9)
    return math.log(inside / (1 - inside))


def _log_odds(model: str, features: object, language: str) -> float:
    values: dict[str, float | None] = asdict(features)  # type: ignore[call-overload]
    kind = "similarity" if None in values.values() else "reader"
    fitted = _models()[f"{model}.{kind}"]
    return fitted.offset(language) + sum(
        weight * value for name, weight in fitted.weights.items() if (value := values[name]) is not None
    )


@dataclass(frozen=True, slots=True)
class _Model:
    weights: Mapping[str, float]
    intercept: float
    languages: Mapping[str, float]

    def offset(self, language: str) -> float:
        return self.intercept + self.languages.get(language, 0.0)


@cache
def _models() -> dict[str, _Model]:
    content: dict[str, Any] = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return {name: _Model(**model) for name, model in content["models"].items()}
