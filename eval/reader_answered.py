"""What the reader's "answered" is worth: how it tells questions with an answer from others, and how well calibrated.

Everything is measured on what the reader's recipe held out (`eval.refusal_questions`). Beside the reader stand the
cosine of the best passage and the model of `rag.refusal`, without the reader's features and with them, fitted on other
articles than the ones it is measured on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from eval.fit_refusal import fold_of, predicted, source_weights
from eval.refusal_examples import Example
from eval.refusal_questions import LANGUAGES, OFF_TOPIC, OWN

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALL = "all, sources alike"
BINS = 10
"""Of the calibration error."""
# Below every logit: a question of which nothing was read.
_NOTHING = -20.0
# How far the offset of a pair of languages is drawn to 0; the inverse of scikit-learn's C. Chosen, not fitted.
_DRAWN = 0.1


@dataclass(frozen=True, slots=True)
class Scale:
    """Logit -> probability: one slope and intercept, and an offset for each pair of languages, "en->hi"."""

    slope: float
    intercept: float
    offsets: Mapping[str, float]

    def probabilities(self, logits: Floats, pairs: Sequence[str]) -> Floats:
        """(examples,) probabilities; a pair without an offset has 0."""
        offsets = np.array([self.offsets.get(pair, 0.0) for pair in pairs])
        return sigmoid(self.slope * logits + self.intercept + offsets)


def sigmoid(logits: Floats) -> Floats:
    """Logits as probabilities."""
    return np.asarray(1 / (1 + np.exp(-logits)))


def pair_of(example: Example) -> str:
    """The languages of a question and what it was asked of: "en->hi"."""
    return f"{example.asked_in}->{example.read_in}"


def logits(examples: Sequence[Example]) -> Floats:
    """(examples,) the largest logit of "answered" over the windows that were read."""
    return np.array([max((w.logit for w in e.windows), default=_NOTHING) for e in examples])


def over_none(examples: Sequence[Example]) -> Floats:
    """(examples,) the most that a span stands above "no answer" over the windows that were read."""
    return np.array([max((w.over_none for w in e.windows), default=_NOTHING) for e in examples])


def fit_scale(examples: Sequence[Example], *, by_pair: bool) -> Scale:
    """The scale that fits best, with an offset for each pair or without; sources weigh as for the refusal."""
    pairs = sorted({pair_of(e) for e in examples}) if by_pair else []
    table = np.zeros((len(examples), 1 + len(pairs)))
    table[:, 0] = logits(examples)
    for row, example in enumerate(examples if by_pair else ()):
        table[row, 1 + pairs.index(pair_of(example))] = 1.0
    model = LogisticRegression(C=1 / _DRAWN, max_iter=2000)
    model.fit(table, [e.answered for e in examples], sample_weight=source_weights(examples))
    slope, *offsets = model.coef_[0].tolist()
    return Scale(slope, float(model.intercept_[0]), dict(zip(pairs, offsets, strict=True)))


def scaled(examples: Sequence[Example], *, by_pair: bool) -> Floats:
    """(examples,) probabilities of the reader, each half of the articles and questions by the scale of the other."""
    halves = np.array([fold_of(e, 2) for e in examples])
    found = np.zeros(len(examples))
    for half in (0, 1):
        others = [e for e, where in zip(examples, halves, strict=True) if where != half]
        mine = [e for e, where in zip(examples, halves, strict=True) if where == half]
        scale = fit_scale(others, by_pair=by_pair)
        found[halves == half] = scale.probabilities(logits(mine), [pair_of(e) for e in mine])
    return found


def calibration_error(truth: Flags, probabilities: Floats, weights: Floats | None = None) -> float:
    """The expected calibration error over BINS bins of equal width, 0 to 1 (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599); `weights`: of the examples, None: all alike."""
    weigh = np.ones(len(truth)) if weights is None else weights
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    off = np.zeros(BINS)
    np.add.at(off, bins, weigh * (probabilities - truth))
    return float(np.abs(off).sum() / weigh.sum())


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of questions: AUROC and, for what is a probability, the calibration error, by what scores."""

    name: str
    questions: int
    area: Mapping[str, float]
    error: Mapping[str, float]


def rows(examples: Sequence[Example]) -> Iterator[Row]:
    """Every kind of questions."""
    truth = np.array([e.answered for e in examples])
    raw = logits(examples)
    scores = {
        "cosine": np.array([e.unread.passage for e in examples]),
        "answered": raw,
        "over none": over_none(examples),
        "refusal": predicted(examples, read=False),
        "refusal, reader": predicted(examples, read=True),
    }
    shares = {
        "answered": sigmoid(raw),
        "scaled": scaled(examples, by_pair=False),
        "scaled by pair": scaled(examples, by_pair=True),
        "refusal": scores["refusal"],
        "refusal, reader": scores["refusal, reader"],
    }
    kinds = [(name, chosen, np.ones(len(examples))) for name, chosen in _kinds(examples)]
    everything = np.ones(len(examples), bool)
    for name, chosen, weights in [(ALL, everything, source_weights(examples)), *kinds]:
        right, weigh = truth[chosen], weights[chosen]
        if len(set(right)) == 2:
            yield Row(
                name,
                len(right),
                {k: float(roc_auc_score(right, v[chosen], sample_weight=weigh)) for k, v in scores.items()},
                {k: calibration_error(right, v[chosen], weigh) for k, v in shares.items()},
            )


def _kinds(examples: Sequence[Example]) -> Iterator[tuple[str, Flags]]:
    strata = np.array([e.stratum for e in examples])
    pairs = np.array([pair_of(e) for e in examples])
    same = np.array([e.asked_in == e.read_in for e in examples])
    for stratum in sorted({s for s in strata if s.startswith("nomiracl")}):
        yield stratum, strata == stratum
    yield "squad2-sv", strata == "squad2-sv"
    answered = np.char.startswith(strata, "xquad ")
    for stratum in ("article hidden", "name swapped"):
        yield stratum, answered | (strata == stratum)
    apart = (strata == OWN) | (strata == OFF_TOPIC)
    yield "off-topic, same language", apart & same
    yield "off-topic, across languages", apart & ~same
    for asked in LANGUAGES:
        for read in LANGUAGES:
            yield f"off-topic {asked} -> {read}", apart & (pairs == f"{asked}->{read}")


def show(found: Sequence[Row], tell: Callable[[str], None]) -> None:
    """The rows as two tables in Markdown, line by line."""
    for title, part in (("AUROC", "area"), (f"calibration error, {BINS} bins", "error")):
        names = list(getattr(found[0], part)) if found else []
        tell(f"\n| {title} | questions | {' | '.join(names)} |\n{'|---' * (2 + len(names))}|")
        for row in found:
            values = " | ".join(f"{value:.2f}" for value in getattr(row, part).values())
            tell(f"| {row.name} | {row.questions} | {values} |")
