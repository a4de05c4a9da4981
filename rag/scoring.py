"""What a sentence, an answer and a short answer are worth: logistic models over what was found out about them.

Three models, fitted together on public data by `eval.learning.fit`; their coefficients lie beside this file with the
recipe that made them. Each exists with a reader and without one; the latter two have an offset for each language that
questions were asked in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

MODEL_FILE = Path(__file__).with_name("scoring.json")


@dataclass(frozen=True, slots=True)
class SentenceFeatures:
    """What a sentence's score rests on.

    Attributes:
        behind: how far its passage's score in retrieval stands behind the best passage's, 0 or more.
        cosine: of sentence and question.
        margin: how far the reader's best span within it stands above "no answer", a logit; None where it was not read.
        answers: the reader's logit that the passage answers; None where it was not read.
    """

    behind: float
    cosine: float
    margin: float | None
    answers: float | None


@dataclass(frozen=True, slots=True)
class AnswerFeatures:
    """What the decision to answer or refuse rests on.

    Attributes:
        score: of the best sentence, log odds.
        lead: how far it stands above the best sentence of another document, at most LONGEST_LEAD; 0 without one.
        passage: score of its passage without its bonus for words, a cosine.
        names: part of the question's names that its document holds; 1 when it has none.
        numbers: part of the question's numbers that its document holds; 1 when it has none.
        same_language: 1 when the passage is in the question's language.
    """

    score: float
    lead: float
    passage: float
    names: float
    numbers: float
    same_language: float


Certain = Literal["short", "sentence"]
LONGEST_LEAD = 10.0
"""Chosen: a lead of more says no more, e^10 to 1."""


@dataclass(frozen=True, slots=True)
class ShortFeatures:
    """What showing a short answer rests on, where the question is answered.

    Attributes:
        margin: how far the span stands above "no answer", a logit.
        share: probability of the span, and of those that share a token with it, among all of its window.
        words: words of the short answer, at most 12.
        figure: 1 where a number or date is asked for and the short answer holds one.
        misses: 1 where one is asked for and the short answer holds none.
    """

    margin: float
    share: float
    words: float
    figure: float
    misses: float


def sentence(features: SentenceFeatures) -> float:
    """The log odds that a sentence answers, whatever its language."""
    return _log_odds("sentence", features, "", read=features.margin is not None)


def answered(features: AnswerFeatures, language: str, *, read: bool) -> float:
    """The probability, 0 to 1, that the evidence answers; `language`: the question's, `read`: by a reader."""
    return probability(_log_odds("answered", features, language, read=read))


def short(features: ShortFeatures, language: str) -> float:
    """The probability, 0 to 1, that a short answer is right if the question is answered; `language`: the question's."""
    return probability(_log_odds("short", features, language, read=True))


def certain(what: Certain) -> float:
    """The probability from which on a short answer, or a quoted sentence, is right nine times of ten on public data."""
    return float(_content()["certain"][what])


def probability(log_odds: float) -> float:
    """Of log odds."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, log_odds))))


def log_odds(probability: float) -> float:
    """Of a probability, within e^±20."""
    inside = min(max(probability, 2e-9), 1 - 2e-9)
    return math.log(inside / (1 - inside))


def _log_odds(model: str, features: object, language: str, *, read: bool) -> float:
    values: dict[str, float] = asdict(features)  # type: ignore[call-overload]
    fitted = _models()[f"{model}.{'reader' if read else 'similarity'}"]
    return fitted.offset(language) + sum(weight * values[name] for name, weight in fitted.weights.items())


@dataclass(frozen=True, slots=True)
class _Model:
    weights: Mapping[str, float]
    intercept: float
    languages: Mapping[str, float]

    def offset(self, language: str) -> float:
        return self.intercept + self.languages.get(language, 0.0)


@cache
def _models() -> dict[str, _Model]:
    return {name: _Model(**model) for name, model in _content()["models"].items()}


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return content
