"""Fits the model of `rag.refusal` on public data and measures it by cross-validation.

    python -m eval.fit_refusal DATA [--write]

DATA holds `xquad-dev/`, `squad2-sv-dev/` and `nomiracl/`; `eval.refusal_questions` makes answerable questions
and others of them. Folds are by article and question.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

import click
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from eval.refusal_examples import Example, Work, collect
from eval.refusal_questions import LANGUAGES, OFF_TOPIC, OWN, SEED, parts_of
from rag.evidence import Features
from rag.refusal import MODEL_FILE
from rag.settings import RagSettings

FOLDS = 5
REFUSED = 0.07
"""The share of answerable questions, sources alike, that is refused at the default threshold.

The models with and without a reader take each other's place, so both refuse as many.
"""
_FEATURES = tuple(field.name for field in fields(Features))
_OF_READER = ("read", "pointed")


def fit(
    examples: Sequence[Example], *, read: bool, refusing: float = REFUSED
) -> tuple[dict[str, object], dict[str, float]]:
    """The model on all examples, with the reader's features or without, and how well it does.

    Args:
        read: with the reader's features.
        refusing: the share of the answerable questions, sources alike, that it should refuse at the default
            threshold; its intercept is set so.

    Returns:
        Intercept and weights; and, from models that did not see its fold, the AUROC of each stratum and the share
        refused at the default threshold. Negatives that are no stratum of their own are set against the
        answerable questions of XQuAD; the operating point also by the language of XQuAD questions.
    """
    names, table = _table(examples, read=read)
    truth = np.array([e.answered for e in examples])
    scaler, model = _train(table, truth, source_weights(examples))
    slopes = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - slopes @ scaler.mean_)
    threshold = RagSettings.model_fields["refusal_threshold"].default
    held_out = predicted(examples, read=read)
    refused_below = _refusing(examples, held_out, refusing)
    intercept += _logit(threshold) - _logit(refused_below)
    values = {name: round(float(w), 4) for name, w in zip(names, slopes, strict=True)}
    scores = _scores(examples, held_out, held_out < refused_below)
    return {"intercept": round(intercept, 4), "weights": values}, scores


def _refusing(examples: Sequence[Example], probabilities: np.ndarray, share: float) -> float:
    """The probability below which so many of the answerable questions lie, sources alike."""
    truth = np.array([e.answered for e in examples])
    order = probabilities[truth].argsort()
    below = source_weights(examples)[truth][order].cumsum()
    return float(probabilities[truth][order][np.searchsorted(below, share * below[-1], side="right")])


def _of_xquad(examples: Sequence[Example]) -> np.ndarray:
    """(examples,) which are the answerable questions of XQuAD, asked of all articles."""
    return np.array([e.stratum.startswith("xquad ") for e in examples])


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def predicted(examples: Sequence[Example], *, read: bool) -> np.ndarray:
    """(examples,) probabilities by models that did not see the example's fold; none is fitted on questions that were
    asked of one article alone."""
    _, table = _table(examples, read=read)
    truth = np.array([e.answered for e in examples])
    fitted = np.array([e.stratum not in {OWN, OFF_TOPIC} for e in examples])
    folds = np.array([fold_of(e, FOLDS) for e in examples])
    found = np.zeros(len(examples))
    for fold in range(FOLDS):
        seen = (folds != fold) & fitted
        weights = source_weights([e for e, kept in zip(examples, seen, strict=True) if kept])
        scaler, model = _train(table[seen], truth[seen], weights)
        if (folds == fold).any():
            found[folds == fold] = model.predict_proba(scaler.transform(table[folds == fold]))[:, 1]
    return found


def fold_of(example: Example, folds: int) -> int:
    """Which of so many folds an example is in: all of an article are in one."""
    return int(hashlib.sha256(example.fold.encode()).hexdigest(), 16) % folds


def _table(examples: Sequence[Example], *, read: bool) -> tuple[list[str], np.ndarray]:
    """The names of the features, and (examples, features)."""
    names = [name for name in _FEATURES if read or name not in _OF_READER]
    features = [e.read if read else e.unread for e in examples]
    return names, np.array([[getattr(row, name) for name in names] for row in features])


def by_cosine(examples: Sequence[Example]) -> dict[str, float]:
    """What one threshold on the cosine of the best passage would do, set so that it refuses as many of the answerable
    questions of XQuAD as the model does on average: one in ten. Scores as those of `fit`."""
    cosines = np.array([e.unread.passage for e in examples])
    return _scores(examples, cosines, cosines < np.quantile(cosines[_of_xquad(examples)], 0.1))


def _scores(examples: Sequence[Example], predicted: np.ndarray, refused: np.ndarray) -> dict[str, float]:
    """The area under the ROC curve of each stratum, and the share refused of each kind of question."""
    truth = np.array([e.answered for e in examples])
    weights = source_weights(examples)
    strata = np.array([e.stratum for e in examples])
    is_xquad = np.char.startswith(strata, "xquad ")
    scores: dict[str, float] = {"all": float(roc_auc_score(truth, predicted, sample_weight=weights))}
    for answered, word in ((True, "answered"), (False, "not answered")):
        rows = truth == answered
        scores[f"refused: all, {word}"] = float(np.average(refused[rows], weights=weights[rows]))
    for stratum in sorted(set(strata[~is_xquad])):
        rows = (
            (strata == stratum) if len(set(truth[strata == stratum])) == 2 else (strata == stratum) | is_xquad
        )
        scores[stratum] = float(roc_auc_score(truth[rows], predicted[rows]))
    hidden = strata == "article hidden"
    for stratum in sorted(set(strata[is_xquad])):
        rows = (strata == stratum) | hidden
        scores[stratum] = float(roc_auc_score(truth[rows], predicted[rows]))
    groups = np.where(is_xquad, "xquad", strata)
    for group in sorted(set(groups)):
        for answered, word in ((True, "answered"), (False, "not answered")):
            rows = (groups == group) & (truth == answered)
            if rows.any():
                scores[f"refused: {group}, {word}"] = float(refused[rows].mean())
    of_xquad = is_xquad | hidden | (strata == "name swapped")
    asked = np.array([e.asked_in for e in examples])
    for language in LANGUAGES:
        for answered, word in ((True, "answered"), (False, "not answered")):
            rows = of_xquad & (asked == language) & (truth == answered)
            if rows.any():
                scores[f"refused: xquad asked in {language}, {word}"] = float(refused[rows].mean())
    return scores


def _train(
    table: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> tuple[StandardScaler, LogisticRegression]:
    scaler = StandardScaler().fit(table)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(scaler.transform(table), truth, sample_weight=weights)
    return scaler, model


def source_weights(examples: Sequence[Example]) -> np.ndarray:
    """Answered and not answered weigh the same in all, and so do the sources within each."""
    sources = [(e.answered, e.stratum.split()[0]) for e in examples]
    counts = {source: sources.count(source) for source in set(sources)}
    kinds = {True: 0, False: 0}
    for answered, _ in counts:
        kinds[answered] += 1
    return np.array([len(examples) / 2 / kinds[s[0]] / counts[s] for s in sources])


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-pair", default=40, show_default=True, help="XQuAD questions for each pair of languages.")
@click.option("--limit", default=120, show_default=True, help="Questions of each other file.")
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="Keep the indexes and what was asked here, to go on after a stop; default: a temporary folder.",
)
@click.option(
    "--write",
    is_flag=True,
    help="Write the model beside rag/refusal.py: with a reader its own, else the one without.",
)
def main(data: Path, per_pair: int, limit: int, work: Path | None, write: bool) -> None:
    """Fit the refusal on DATA and print how it separates each kind of question."""
    with tempfile.TemporaryDirectory() as temporary:
        kit = Work.load(work or Path(temporary), data)
        parts = parts_of(data, kit.unseen, per_pair=per_pair, limit=limit)
        examples = collect(parts, kit, tell=partial(click.echo, err=True))
    click.echo(f"{len(examples):,} questions\n")
    models, scores = {}, {}
    models["similarity"], scores["similarity"] = fit(examples, read=False)
    if kit.reader is not None:
        models["reader"], scores["reader"] = fit(examples, read=True)
    scores = {"cosine": by_cosine(examples), **scores}
    click.echo(" ".join([f"{'':40s}", *(f"{name:>10s}" for name in scores)]))
    for name in scores["similarity"]:
        click.echo(" ".join([f"{name:40s}", *(f"{found[name]:10.3f}" for found in scores.values())]))
    click.echo(json.dumps(models, indent=1))
    if write:
        command = (
            f"python -m eval.fit_refusal DATA --per-pair {per_pair} --limit {limit} --write; seed {SEED}"
        )
        recipe = f"{command}; {len(examples):,} questions"
        content = {"recipe": recipe, "embedder": kit.embedder.name, **models}
        if kit.reader is not None:
            # What the reader learnt from was left out; the model without it is better off with all of it.
            content = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
            content |= {"reader": models["reader"], "reader_recipe": recipe}
        MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
