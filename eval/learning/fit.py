"""Fits what `rag.scoring` says of sentences, answers and short answers, on public data, and measures it.

    python -m eval.learning.fit DATA [--per-pair 20] [--limit 60] [--work FOLDER] [--ablate] [--write]

DATA holds `xquad-dev/`, `squad2-sv-dev/`, `nomiracl/` and `qa/train/`; `eval.learning.asked` makes questions with and
without an answer of what the reader's recipe held out. All three models are fitted on the same questions, each on
what the one before it says; every figure printed is of models that saw no question of the same article or title.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from sklearn.metrics import roc_auc_score

from eval.learning.asked import parts_of
from eval.learning.fit_models import (
    REFUSED,
    RIGHT,
    Judged,
    certain,
    judged,
    learn,
    refused_below,
    source_weights,
)
from eval.learning.looked import Looked, Work, collect
from rag.scoring import MODEL_FILE, AnswerFeatures, SentenceFeatures
from rag.settings import RagSettings


def figures(questions: Sequence[Judged], threshold: float) -> dict[str, dict[str, float]]:
    """By stratum: the share whose first sentence answers, the area under the ROC curve of answered, the shares
    refused, and of short answers shown the share and how many are right."""
    strata: dict[str, list[Judged]] = {"all": list(questions)}
    for j in questions:
        strata.setdefault(j.best.looked.stratum, []).append(j)
        strata.setdefault(f"asked in {j.best.looked.asked_in}", []).append(j)
    return {name: _figures(found, threshold) for name, found in sorted(strata.items())}


def _figures(found: Sequence[Judged], threshold: float) -> dict[str, float]:
    answered = [j for j in found if j.best.looked.answered]
    others = [j for j in found if not j.best.looked.answered]
    placed = [j for j in answered if any(row.right is not None for row in j.best.looked.rows)]
    values: dict[str, float] = {"questions": len(found)}
    if placed:
        values["sentence@1"] = float(np.mean([bool(j.best.row.right) for j in placed]))
        values["in rows"] = float(np.mean([any(r.right for r in j.best.looked.rows) for j in placed]))
    if answered and others:
        truth = [j.best.looked.answered for j in found]
        weights = source_weights([j.best.looked for j in found])
        values["AUROC"] = float(roc_auc_score(truth, [j.answered for j in found], sample_weight=weights))
    if answered:
        values["refused, answered"] = float(np.mean([j.answered < threshold for j in answered]))
    if others:
        values["refused, not"] = float(np.mean([j.answered < threshold for j in others]))
    shown = [j for j in found if j.short is not None and j.short >= 0 and j.answered >= threshold]
    known = [j for j in shown if j.best.row.short is not None and j.best.row.short.right is not None]
    values["shown"] = len(shown) / len(found)
    if known:
        values["shown right"] = float(
            np.mean([bool(j.best.row.short and j.best.row.short.right) for j in known])
        )
    return values


def ablated(questions: Sequence[Looked]) -> dict[str, dict[str, float]]:
    """The figures over all questions without each feature in turn, the reader's and those of similarity."""
    rows = {}
    for kind in (SentenceFeatures, AnswerFeatures):
        for field in fields(kind):
            name = f"{kind.__name__}.{field.name}"
            found = judged(questions, read=True, without=name)
            rows[f"without {name}"] = _figures(found, refused_below(found, REFUSED))
    return rows


def _show(rows: dict[str, dict[str, float]]) -> None:
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    click.echo("| | " + " | ".join(columns) + " |\n|---" * 1 + "|---" * len(columns) + "|")
    for name, row in rows.items():
        cells = [f"{row[column]:.3f}" if column in row else "" for column in columns]
        cells[0] = f"{row['questions']:.0f}"
        click.echo(f"| {name} | " + " | ".join(cells) + " |")


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-pair", default=20, show_default=True, help="XQuAD questions for each pair of languages.")
@click.option("--limit", default=60, show_default=True, help="Questions of each other file.")
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="Keep the indexes and what was asked here, to go on after a stop; default: a temporary folder.",
)
@click.option("--ablate", is_flag=True, help="Show what is lost without each feature, too.")
@click.option("--write", is_flag=True, help="Write the models beside rag/scoring.py.")
def main(data: Path, *, per_pair: int, limit: int, work: Path | None, ablate: bool, write: bool) -> None:
    """Fit the scores on DATA and print how they do on each kind of question."""
    with tempfile.TemporaryDirectory() as temporary:
        kit = Work.load(work or Path(temporary), data)
        parts = parts_of(data, kit.unseen, per_pair=per_pair, limit=limit)
        questions = collect(parts, kit, tell=partial(click.echo, err=True))
    threshold = RagSettings.model_fields["refusal_threshold"].default
    models: dict[str, dict[str, Any]] = {}
    sure: dict[str, float] = {}
    for kind, read in (("reader", True), ("similarity", False))[0 if kit.reader else 1 :]:
        found = judged(questions, read=read)
        at = refused_below(found, REFUSED)
        click.echo(f"\n{kind}: {len(questions):,} questions\n")
        _show(figures(found, at))
        learnt = learn(questions, read=read)
        moved = float(np.log(threshold / (1 - threshold))) - at
        # The same threshold for all: what refuses the share above moves to where the setting's default is.
        models[f"sentence.{kind}"] = learnt.sentence.to_dict()
        models[f"answered.{kind}"] = learnt.answered.to_dict()
        models[f"answered.{kind}"]["intercept"] = round(learnt.answered.intercept + moved, 4)
        if read:
            for name, (least, share) in certain(found, moved).items():
                sure[name] = round(least, 3)
                click.echo(f"{name}: {RIGHT:.0%} right from {least:.3f} on, {share:.0%} of the questions")
        if learnt.short is not None:
            models[f"short.{kind}"] = learnt.short.to_dict()
    if ablate and kit.reader is not None:
        click.echo("\neach feature left out\n")
        _show(ablated(questions))
    click.echo(json.dumps(models, indent=1))
    if write:
        recipe = f"python -m eval.learning.fit DATA --per-pair {per_pair} --limit {limit} --write"
        content: dict[str, Any] = {
            "recipe": f"{recipe}; {len(questions):,} questions",
            "embedder": kit.embedder.name,
        }
        content |= {"reader": kit.reader_hash, "certain": sure, "models": models}
        MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
