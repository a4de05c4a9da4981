"""Fits the score of `rag.verification.support` on public data and measures what the whole check catches.

    python -m eval.learning.fit_support DATA [--write]

DATA holds `xquad-dev/`, parallel files in SQuAD format; `eval.learning.support_claims` makes true and planted claims of
them. Folds are by article.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from eval.learning.asked import Unseen, unseen_of
from eval.learning.support_claims import SEED, Example, Language, examples
from eval.squad import read_squad
from index.embedder import Embedder, load_embedder
from index.settings import IndexSettings
from rag.assistant import load_judge
from rag.settings import RagSettings
from rag.verification.support import MODEL_FILE, Features

LANGUAGES = ("en", "hi", "vi", "sv")
PLANTS = ("elsewhere", "removed", "number", "name", "turned", "denied", "idle")
FOLDS = 5
MARKED = 0.1
"""Part of the true claims that the check may mark by mistake."""
UNCITED, STRUCK = 0.02, 0.01
"""Part of the planted claims that may pass where nothing is cited; part of the true ones that may be struck."""
_NAMES = tuple(field.name for field in fields(Features))
# Pushes from which the threshold for names is chosen; the last is never reached.
_PUSHES = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 9.0)

_OF_NAMES = ("unheld", "rare", "names")
_OF_JUDGE = ("supported", "contradicted")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """The examples as columns."""

    pairs: NDArray[np.str_]
    plants: NDArray[np.str_]
    folds: NDArray[np.int_]
    values: Floats
    missing: NDArray[np.bool_]

    def pushed(self, least: float) -> NDArray[np.bool_]:
        """(examples,) whether a name that stands nowhere is taken for a wrong one, as `support.wrong_name` does."""
        push = self.values[:, _NAMES.index("unheld")]
        same = self.values[:, _NAMES.index("same_language")] > 0
        return (push >= least) | (same & (push > 0) & (least < _PUSHES[-1]))

    @classmethod
    def of(cls, rows: Sequence[Example]) -> Table:
        """The columns of examples."""
        return cls(
            pairs=np.array([row.pair for row in rows]),
            plants=np.array([row.plant for row in rows]),
            folds=np.array([_fold(row.article) for row in rows]),
            values=np.array([[getattr(row.features, name) or 0.0 for name in _NAMES] for row in rows]),
            missing=np.array([row.missing for row in rows]),
        )


def _fold(article: int) -> int:
    return int(hashlib.sha256(str(article).encode()).hexdigest(), 16) % FOLDS


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over the features, as they are, and the thresholds it is used with."""

    intercept: float
    weights: Floats
    threshold: float = 0.0
    push: float = 9.0

    def scores(self, values: Floats) -> Floats:
        """(examples,) probabilities of support."""
        return np.asarray(1 / (1 + np.exp(-(values @ self.weights + self.intercept))))

    def marks(self, table: Table, *, facts: bool = True) -> NDArray[np.bool_]:
        """(examples,) whether the check marks a claim."""
        marked = (self.scores(table.values) < self.threshold) | table.pushed(self.push)
        return marked | (table.missing & facts)


def train(table: Table, rows: NDArray[np.bool_], *, without: Sequence[str] = ()) -> Model:
    """Fit on some examples. A changed number looks like the right one, so similarity cannot learn from it."""
    rows = rows & (table.plants != "number")
    values = table.values.copy()
    values[:, [_NAMES.index(name) for name in without]] = 0.0
    counts = {plant: float((table.plants[rows] == plant).sum()) for plant in set(table.plants[rows])}
    weights = np.array([(len(counts) - 1 if not p else 1) / counts[p] for p in table.plants[rows]])
    scaler = StandardScaler().fit(values[rows])
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(
        scaler.transform(values[rows]),
        table.plants[rows] == "",
        sample_weight=weights * rows.sum() / weights.sum(),
    )
    slopes = model.coef_[0] / scaler.scale_
    return Model(float(model.intercept_[0] - slopes @ scaler.mean_), slopes)


def with_thresholds(
    model: Model, table: Table, rows: NDArray[np.bool_], *, names: bool, facts: bool
) -> Model:
    """The thresholds that catch most planted claims while `MARKED` of the true ones are marked."""
    scores = model.scores(table.values)
    true = rows & (table.plants == "")
    best, most = model, -1.0
    for limit in _PUSHES if names else _PUSHES[-1:]:
        marked = table.pushed(limit) | (table.missing & facts)
        left = MARKED - marked[true].mean()
        if left < 0:
            continue
        free = scores[true & ~marked]
        threshold = float(np.quantile(free, left * true.sum() / len(free)))
        made = replace(model, threshold=threshold, push=limit)
        marks = made.marks(table, facts=facts)
        caught = float(np.mean([marks[rows & (table.plants == plant)].mean() for plant in PLANTS]))
        if caught > most:
            best, most = made, caught
    return best


def held_out(table: Table, *, without: Sequence[str] = (), facts: bool = True) -> NDArray[np.bool_]:
    """(examples,) what is marked by models and thresholds that did not see the example's articles."""
    marks = np.zeros(len(table.plants), bool)
    names = not set(_OF_NAMES) <= set(without)
    for fold in range(FOLDS):
        seen = table.folds != fold
        if seen.all():
            continue
        fit = train(table, seen, without=without)
        model = with_thresholds(fit, table, seen, names=names, facts=facts)
        marks[~seen] = model.marks(table, facts=facts)[~seen]
    return marks


def report(table: Table) -> str:
    """Markdown: the share of claims marked, by pair of languages, and for the parts of the check."""
    head = "| | true claims | " + " | ".join(PLANTS) + " |"
    lines = [head, "|---" * (len(PLANTS) + 2) + "|"]
    whole = held_out(table)
    for pair in sorted(set(table.pairs)):
        lines.append(_line(pair.replace("->", " → "), whole, table, table.pairs == pair))
    everything = np.ones(len(table.plants), bool)
    for label, without, facts in (
        ("all pairs", (), True),
        ("without names", _OF_NAMES, True),
        ("without facts", (), False),
        ("without nearness", ("cosine", "same_language"), True),
        ("the judge and facts alone", ("cosine", "same_language", *_OF_NAMES), True),
        ("without the judge", _OF_JUDGE, True),
    ):
        lines.append(_line(f"**{label}**", held_out(table, without=without, facts=facts), table, everything))
    counts = " | ".join(str(int((table.plants == plant).sum())) for plant in ("", *PLANTS))
    return "\n".join([*lines, f"| claims | {counts} |"])


def _line(label: str, marks: NDArray[np.bool_], table: Table, rows: NDArray[np.bool_]) -> str:
    shares = []
    for plant in ("", *PLANTS):
        chosen = marks[rows & (table.plants == plant)]
        shares.append(f"{chosen.mean():.0%}" if len(chosen) else "-")
    return f"| {label} | {' | '.join(shares)} |"


def fitted(table: Table, *, without: Sequence[str]) -> Model:
    """The model on all examples."""
    everything = np.ones(len(table.plants), bool)
    return with_thresholds(
        train(table, everything, without=without), table, everything, names=True, facts=True
    )


def _uncited(model: Model, table: Table) -> float:
    """The probability that only UNCITED of the claims whose passage does not hold them reach."""
    planted = model.scores(table.values)[np.isin(table.plants, ["elsewhere", "removed", "idle"])]
    return max(model.threshold, float(np.quantile(planted, 1 - UNCITED)))


def _contradicted(table: Table) -> float:
    """The log odds of a contradiction that only STRUCK of the true claims, and of those that the passage does not speak
    of, reach."""
    rows = np.isin(table.plants, ["", "elsewhere", "removed"])
    return float(np.quantile(table.values[rows, _NAMES.index("contradicted")], 1 - STRUCK))


def _as_json(model: Model) -> dict[str, object]:
    return {
        "threshold": round(model.threshold, 4),
        "intercept": round(model.intercept, 4),
        "weights": {
            name: round(float(weight), 4)
            for name, weight in zip(_NAMES, model.weights, strict=True)
            if weight
        },
    }


def _collected(data: Path, embedder: Embedder, per_pair: int) -> list[Example]:
    judge = load_judge(RagSettings())
    if judge is None:
        raise click.ClickException("there is no judge to fit with: name its file in RAG_JUDGE_MODEL")
    unseen = Unseen.by(judge, data)
    languages = {}
    for code in LANGUAGES:
        file = unseen_of(read_squad(data / "xquad-dev" / f"xquad.{code}.json"), unseen)
        languages[code] = Language(code, file, embedder)
        click.echo(f"{code}: {len(languages[code].sources):,} paragraphs", err=True)
    rows: list[Example] = []
    for row in examples(languages, embedder, judge, per_pair=per_pair):
        rows.append(row)
        if len(rows) % 500 == 0:
            click.echo(f"{len(rows):,} claims", err=True)
    return rows


def _kept(path: Path) -> list[Example]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Example(**{**row, "features": Features(**row["features"])}) for row in rows]


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-pair", default=20, show_default=True, help="Answers for each pair of languages.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    help="Read the claims from this file; write it if it is not there.",
)
@click.option("--write", is_flag=True, help="Write the model beside rag/verification/support.py.")
def main(data: Path, per_pair: int, keep: Path | None, write: bool) -> None:
    """Fit the score of support on DATA and print what the check marks, as a Markdown table."""
    embedder = load_embedder(IndexSettings())
    rows = _kept(keep) if keep and keep.exists() else _collected(data, embedder, per_pair)
    if keep and not keep.exists():
        keep.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    table = Table.of(rows)
    click.echo(report(table))
    judged, near = (fitted(table, without=without) for without in ((), _OF_JUDGE))
    content = {
        "recipe": f"python -m eval.learning.fit_support DATA --per-pair {per_pair} --write;"
        f" seed {SEED}; {len(rows):,} claims",
        "embedder": embedder.name,
        "name_threshold": round(judged.push, 4),
        "contradicted": round(_contradicted(table), 4),
        "judged": {"uncited": round(_uncited(judged, table), 4), **_as_json(judged)},
        "near": {"uncited": round(_uncited(near, table), 4), **_as_json(near)},
    }
    click.echo(json.dumps(content, indent=2))
    if write:
        MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
