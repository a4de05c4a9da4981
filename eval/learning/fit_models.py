"""The three logistic models of `rag.scoring`: how they are learnt of questions, and what they say of others."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from eval.learning.looked import Looked, Row
from rag.scoring import LONGEST_LEAD, AnswerFeatures, SentenceFeatures, ShortFeatures, probability

FOLDS = 5
RIGHT = 0.7
"""The share of what is said without reserve that is right. Chosen: public questions, half of them asked across
languages, are harder than those of offices; at 0.9 one answer of seven would be said so."""
# Questions of people that the documents answer, of all: questions made for fitting are answered half the time. Chosen.
_ANSWERABLE = 0.8
REFUSED = 0.04
"""The share of answerable questions, sources alike, that is refused at the default threshold. Chosen: what lies between
an answer and a refusal is said to be unsure, and of refusals most are to be right."""
# How much an offset for a language weighs against a standardised feature: little, so that few questions move it little.
_OFFSET = 0.5
_OF_READER = frozenset({"margin", "answers"})
# Sources whose questions stay near the wording of their texts: that others are further off says nothing against them.
_NEAR_THE_TEXT = frozenset({"bn_haque2020", "norquad"})
_WEIGHT_NEAR = 0.3
# What a cosine of retrieval is worth beside the reader's margin, a logit. Of 10 to 200, all between 30 and 200 find the
# answering sentence within 0.02 of each other (docs/decisions/0002); a small one leaves the choice among passages that
# look alike to what was read in them.
_RETRIEVAL = 45.0
# Strata whose questions exist in every language.
_PARALLEL = frozenset({"xquad", "article", "name"})
# Of a question's sentences only the best by each measure say something.
_MOST_ROWS = 12
Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic model: log odds = intercept + weights * features + the language's offset."""

    names: tuple[str, ...]
    weights: Table
    intercept: float
    languages: dict[str, float]

    def of(self, table: Table, languages: Sequence[str] = ()) -> Table:
        """(rows,) log odds of a (rows, features) table."""
        plain = table @ self.weights + self.intercept
        return np.asarray(
            plain + [self.languages.get(language, 0.0) for language in languages] if languages else plain
        )

    def to_dict(self) -> dict[str, Any]:
        """As `rag.scoring` reads it."""
        return {
            "weights": {n: round(float(w), 4) for n, w in zip(self.names, self.weights, strict=True)},
            "intercept": round(self.intercept, 4),
            "languages": {n: round(value, 4) for n, value in sorted(self.languages.items()) if n},
        }


def fitted(
    names: Sequence[str], table: Table, truth: Sequence[bool], languages: Sequence[str], weights: Table
) -> Fitted:
    """The model of some rows, each with a language and a weight; without languages it has no offsets."""
    scaler = StandardScaler().fit(table)
    known = sorted(set(languages))
    one_of = [[_OFFSET * (language == name) for name in known] for language in languages or [""] * len(truth)]
    inputs = np.hstack([scaler.transform(table), np.array(one_of).reshape(len(truth), len(known))])
    model = LogisticRegression(C=1.0, max_iter=2000)
    model.fit(inputs, np.array(truth), sample_weight=weights)
    slopes = model.coef_[0][: len(names)] / scaler.scale_
    offsets = model.coef_[0][len(names) :] * _OFFSET
    return Fitted(
        tuple(names),
        slopes,
        float(model.intercept_[0] - slopes @ scaler.mean_),
        dict(zip(known, offsets.tolist(), strict=True)),
    )


@dataclass(frozen=True, slots=True)
class Models:
    """The three models; without a reader there is nothing to say of short answers."""

    sentence: Fitted
    answered: Fitted
    short: Fitted | None


@dataclass(frozen=True, slots=True)
class Best:
    """The best sentence of a question by a model, with what the next models are told."""

    looked: Looked
    row: Row
    score: float
    features: AnswerFeatures


def names_of(kind: type, *, read: bool, without: str = "") -> tuple[str, ...]:
    """The features of a model, without those of the reader where there is none; `without`: one more left out, as
    "model.feature"."""
    left_out = {name for name in _OF_READER if not read} | {
        without.partition(".")[2] if without.partition(".")[0] == kind.__name__ else ""
    }
    return tuple(field.name for field in fields(kind) if field.name not in left_out)


def learn(questions: Sequence[Looked], *, read: bool, without: str = "") -> Models:
    """The models of some questions; `without` a feature, as "SentenceFeatures.cosine"."""
    rows = [(q, row) for q in questions for row in _telling(q) if row.right is not None]
    shares = Counter(id(q) for q, row in rows)
    weights = source_weights(questions)
    by_question = {id(q): weight for q, weight in zip(questions, weights, strict=True)}
    names = names_of(SentenceFeatures, read=read, without=without)
    table = np.array([[getattr(row.features, name) for name in names] for _, row in rows])
    tied = read and not without.startswith(SentenceFeatures.__name__)
    if tied:
        margin, behind = names.index("margin"), names.index("behind")
        table[:, margin] -= _RETRIEVAL * table[:, behind]
        table[:, behind] = 0.0
    sentence = fitted(
        names,
        table,
        [bool(row.right) for _, row in rows],
        [],  # a language's offset would say how hard its source is, and set documents of other languages apart
        np.array([by_question[id(q)] / shares[id(q)] * _MOST_ROWS for q, _ in rows]),
    )
    if tied:
        sentence.weights[behind] = -_RETRIEVAL * sentence.weights[margin]
    found = [best_of(q, sentence) for q in questions]
    names = names_of(AnswerFeatures, read=read, without=without)
    answered = fitted(
        names,
        np.array([[getattr(best.features, name) for name in names] for best in found]),
        [q.answered for q in questions],
        [spoken(q) for q in questions],
        weights,
    )
    return Models(sentence, answered, _short(found, weights) if read else None)


def _short(found: Sequence[Best], weights: Table) -> Fitted:
    """Of the questions that are answered: what is not is for the refusal to tell."""
    answered = [place for place, best in enumerate(found) if best.looked.answered]
    table, truth, languages, kept = short_table([found[place] for place in answered])
    weights = weights[answered]
    names = [field.name for field in fields(ShortFeatures)]
    return fitted(names, table, truth, languages, weights[kept])


def short_table(found: Sequence[Best]) -> tuple[Table, list[bool], list[str], list[int]]:
    """(rows, features) of the questions whose best sentence has a short answer that is known to be right or wrong."""
    rows, truth, languages, kept = [], [], [], []
    for place, best in enumerate(found):
        short = best.row.short
        if (
            short is None
            or short.right is None
            or best.row.features.margin is None
            or not 0 < short.words <= 12
        ):
            continue
        rows.append(
            ShortFeatures(
                margin=best.row.features.margin,
                share=short.share,
                words=float(short.words),
                figure=short.figure,
                misses=short.misses,
            )
        )
        truth.append(short.right)
        languages.append(spoken(best.looked))
        kept.append(place)
    return np.array([astuple(row) for row in rows]), truth, languages, kept


def log_odds_of(found: Sequence[Best], answered: Fitted) -> Table:
    """(questions,) log odds that each is answered."""
    table = np.array([[getattr(best.features, name) for name in answered.names] for best in found])
    return answered.of(table, [spoken(best.looked) for best in found])


def best_of(question: Looked, sentence: Fitted) -> Best:
    """The best sentence of a question, as `rag.evidence` finds it."""
    table = np.array([[getattr(row.features, name) for name in sentence.names] for row in question.rows])
    scores = sentence.of(table)
    place = int(scores.argmax())
    row, seen = question.rows[place], question.passages[question.rows[place].passage]
    elsewhere = [
        score
        for score, other in zip(scores.tolist(), question.rows, strict=True)
        if question.passages[other.passage].document != seen.document
    ]
    score = float(scores[place])
    features = AnswerFeatures(
        score=score,
        lead=min(score - max(elsewhere, default=score), LONGEST_LEAD),
        passage=seen.score - seen.lexical,
        names=seen.names,
        numbers=seen.numbers,
        same_language=float(seen.language == question.asked_in),
    )
    return Best(question, row, score, features)


def _telling(question: Looked) -> list[Row]:
    """The sentences that answer, and of the others those that might be taken for it."""
    right = [row for row in question.rows if row.right]
    others = [row for row in question.rows if not row.right]
    by_cosine = sorted(others, key=lambda row: -row.features.cosine)[: _MOST_ROWS // 2]
    by_margin = sorted(others, key=lambda row: -(row.features.margin or 0.0))[: _MOST_ROWS // 2]
    return [*right, *{id(row): row for row in (*by_cosine, *by_margin)}.values()]


def spoken(question: Looked) -> str:
    """The language of a question that was asked in every language; "" of one that was not: what sets it apart from
    others may be its source."""
    return question.asked_in if question.stratum.split()[0] in _PARALLEL else ""


def source_weights(questions: Sequence[Looked]) -> Table:
    """Answered and not answered weigh the same in all, and so do the sources within each, those apart that stay near
    the text; 1 on average."""
    sources = [(q.answered, q.stratum.split()[0]) for q in questions]
    counts = Counter(sources)
    shares = {source: _WEIGHT_NEAR if source[1] in _NEAR_THE_TEXT else 1.0 for source in counts}
    sums = {
        answered: sum(share for s, share in shares.items() if s[0] == answered) for answered in (True, False)
    }
    return np.array([len(questions) / 2 * shares[s] / sums[s[0]] / counts[s] for s in sources])


def fold_of(question: Looked) -> int:
    """Which fifth a question is in; all questions about one article are in one."""
    return zlib.crc32(question.fold.encode()) % FOLDS


@dataclass(frozen=True, slots=True)
class Judged:
    """A question as models that did not see its like judge it. `short` is the log odds of its short answer."""

    best: Best
    answered: float
    short: float | None


def judged(questions: Sequence[Looked], *, read: bool, without: str = "") -> list[Judged]:
    """All questions, each by the models of the other folds; `without` as for `learn`."""
    found: list[Judged] = []
    for fold in range(FOLDS):
        others = [q for q in questions if fold_of(q) != fold]
        here = [q for q in questions if fold_of(q) == fold]
        if not here:
            continue
        models = learn(others, read=read, without=without)
        best = [best_of(q, models.sentence) for q in here]
        log_odds = log_odds_of(best, models.answered)
        shorts: dict[int, float] = {}
        if models.short is not None:
            table, _, languages, kept = short_table(best)
            if kept:
                shorts = dict(zip(kept, models.short.of(table, languages).tolist(), strict=True))
        found += [Judged(b, float(log_odds[i]), shorts.get(i)) for i, b in enumerate(best)]
    return found


def refused_below(questions: Sequence[Judged], share: float) -> float:
    """The log odds below which so many of the answerable questions lie, sources alike."""
    looked = [j.best.looked for j in questions]
    weights = source_weights(looked)
    truth = np.array([q.answered for q in looked])
    values = np.array([j.answered for j in questions])[truth]
    order = values.argsort()
    below = weights[truth][order].cumsum()
    return float(values[order][np.searchsorted(below, share * below[-1], side="right")])


def certain(questions: Sequence[Judged], moved: float) -> dict[str, tuple[float, float]]:
    """For short answers and for sentences: the probability from which on RIGHT of them are right, and what share of the
    questions that is.

    Args:
        questions: judged.
        moved: added to the log odds that a question is answered.
    """
    weights = source_weights([j.best.looked for j in questions])
    rows: dict[str, list[tuple[float, bool, float]]] = {"short": [], "sentence": []}
    for judgement, weight in zip(questions, weights, strict=True):
        best, answered = judgement.best, judgement.best.looked.answered
        weight *= 2 * (_ANSWERABLE if answered else 1 - _ANSWERABLE)
        likely = probability(judgement.answered + moved)
        short = best.row.short
        if judgement.short is not None and short is not None and (short.right is not None or not answered):
            right = answered and bool(short.right)
            rows["short"].append((likely * probability(judgement.short), right, weight))
        if best.row.right is not None or not answered:
            right = answered and bool(best.row.right)
            rows["sentence"].append((likely * probability(best.score), right, weight))
    return {name: _certain(found) for name, found in rows.items()}


def _certain(rows: Sequence[tuple[float, bool, float]]) -> tuple[float, float]:
    values, right, weights = (np.array(column, float) for column in zip(*rows, strict=True))
    order = (-values).argsort()
    shown = weights[order].cumsum()
    share_right = (weights * right)[order].cumsum() / shown
    enough = np.flatnonzero((share_right >= RIGHT) & (shown >= 0.01 * shown[-1]))
    last = int(enough.max()) if len(enough) else 0
    return float(values[order][last]), float(shown[last] / shown[-1])
