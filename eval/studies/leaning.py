"""Whether a question is told to lean on the turns before, on conversations whose questions were rewritten by people.

    python -m eval.studies.leaning DATA

DATA holds `nli/train/rewrite_*.jsonl.gz` (CAsT, iKAT, Alexa CQR, MTRAG; English): a row says whether its question
depends on its history. Beside the rule that answers users (`rag.conversation`) stands what could be learnt: logistic
weights over the letters and form of the question (`rag.intent.surface`), five-fold, conversations never split.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from rag.conversation import meant
from rag.intent import surface
from rag.question import analyse

FOLDS = 5
# Of "surely", "likely", "perhaps" and "no" the first three are looked for with the turns before.
_RANKS = {"surely": 3, "likely": 2, "perhaps": 1, "no": 0}


@dataclass(frozen=True, slots=True)
class Row:
    """A question behind others, and whether it depends on them."""

    source: str
    group: str
    question: str
    depends: bool


def rows(data: Path) -> Iterator[Row]:
    """The questions that have a history, by file."""
    for path in sorted((data / "nli" / "train").glob("rewrite_*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["history"]:
                    name = path.name.removeprefix("rewrite_").removesuffix(".jsonl.gz")
                    yield Row(name, row["group"], row["question"], row["depends"])


def ruled(found: list[Row]) -> NDArray[np.float64]:
    """How surely the rule says of each row that it leans: 0 to 3."""
    return np.array([_RANKS[meant(analyse(row.question, language="en"), ()).leans] for row in found], float)


def learnt(found: list[Row]) -> NDArray[np.float64]:
    """The probability that each row leans, by weights that saw none of its conversation."""
    features = np.stack([surface(row.question) for row in found])
    truth = np.array([row.depends for row in found])
    told = np.zeros(len(found))
    for train, test in GroupKFold(FOLDS).split(features, truth, [row.group for row in found]):
        model = LogisticRegression(C=1.0, max_iter=1000, class_weight="balanced").fit(
            features[train], truth[train]
        )
        told[test] = model.predict_proba(features[test])[:, 1]
    return told


def table(found: list[Row]) -> str:
    """By source: rows, the share that depends, and of rule and weights the balanced accuracy and AUROC."""
    by_rule, by_weights = ruled(found), learnt(found)
    truth = np.array([row.depends for row in found])
    lines = [
        "| source | rows | depend | rule | rule AUROC | learnt | learnt AUROC |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in [*dict.fromkeys(row.source for row in found), "all"]:
        of = np.array([name in {"all", row.source} for row in found])
        if len(set(truth[of])) < 2:
            continue
        values = (
            _balanced(by_rule[of] > 0, truth[of]),
            roc_auc_score(truth[of], by_rule[of]),
            _balanced(by_weights[of] > 0.5, truth[of]),
            roc_auc_score(truth[of], by_weights[of]),
        )
        cells = " | ".join(f"{value:.3f}" for value in values)
        lines.append(f"| {name} | {of.sum()} | {truth[of].mean():.2f} | {cells} |")
    return "\n".join(lines)


def _balanced(told: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float((told[truth].mean() + (~told[~truth]).mean()) / 2)


@click.command(help=__doc__)
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(data: Path) -> None:
    """Measure and print the table."""
    click.echo(table(list(rows(data))))


if __name__ == "__main__":
    sys.exit(main())
