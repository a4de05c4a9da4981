"""Whether the evidence answers: a logistic model over features, fitted on public data by `eval.fit_refusal`.

The coefficients lie beside this file with the recipe that made them. A cosine threshold alone would
not do: the cosine of a good answer moves with the languages of question and text, and a question about the
wrong place scores like one about the right place.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from rag.evidence import Evidence, Features

MODEL_FILE = Path(__file__).with_name("refusal.json")


def probability(features: Features, *, read: bool) -> float:
    """The probability, in [0, 1], that the evidence answers the question; `read`: by what the reader says of it too."""
    models = _models()
    # Where no reader was at hand for the fit, what it says has no weight.
    model = models.get("reader", models["similarity"]) if read else models["similarity"]
    values = asdict(features)
    score = model["intercept"] + sum(weight * values[name] for name, weight in model["weights"].items())
    return 1 / (1 + math.exp(-score))


def reason(evidence: Evidence, *, threshold: float) -> str | None:
    """Why the question must be refused: "empty", "name", "unanswered"; None when it can be answered.

    Args:
        threshold: probability below which the evidence does not answer; 0 refuses only what has no evidence.
    """
    if evidence.features is None or not evidence.supports:
        return "empty"
    if threshold <= 0:
        return None
    asks_for_figure = evidence.question.wants_number or evidence.question.wants_date
    if evidence.missing and asks_for_figure:
        # Another place's number looks just like the right one: where something asked about is not in the
        # document, a figure must be more likely right than wrong.
        threshold = max(threshold, 0.5)
    if probability(evidence.features, read=evidence.judged) >= threshold:
        return None
    return "name" if evidence.missing else "unanswered"


@cache
def _models() -> dict[str, dict[str, Any]]:
    models: dict[str, dict[str, Any]] = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return models
