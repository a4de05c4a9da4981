"""What readers are worth beside each other: spans, "answered", and time, on public data.

    python -m eval.studies.reader_scores DATA FILE [FILE ...] [--limit 120] [--json OUT]

*Spans*: F1 and exact match (MLQA's, `eval.metrics`) of the words that a reader points at in a window of 600 code points
that holds the answer: XQuAD's fold 0, held-out titles of `qa/train`, and `qa/measure`. *Answered*: the area under the
ROC curve by which a reader alone tells answered questions from others: by the logit of "answered", by the best span's
margin over "no answer", and by the mean of their z scores. *Time*: milliseconds a window of 192 tokens, in batches of
five. The readers run as they do in the product, by OpenVINO, with 8-bit weights.

`eval.learning.pool.is_held_out` tells which titles of `qa/train` are held out; a reader that was taught by another rule
has seen them. mt_squad_da is about XQuAD's articles and held out with them, by fold 0.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median

import click
import numpy as np
import numpy.typing as npt

from eval import metrics
from eval.learning.asked import LANGUAGES
from eval.learning.data import Corpus, read_corpus
from eval.provenance import file_hash, sha256
from eval.studies.reader_questions import (
    SEED,
    PointedKind,
    Told,
    ToldKind,
    pointed_kinds,
    told_kinds,
    xquad_items,
)
from rag.reader.encode import PairEncoder
from rag.reader.openvino_reader import Reader

FOLD = 0
"""Of XQuAD, SQuAD 2.0 and NoMIRACL (`Corpus.fold`): what the readers did not learn from."""
ALL = "all, kinds alike"
_THREADS = 2  # one encodes and scores while the other's window is read
_TOKENS, _BATCH, _ROUNDS = 192, 5, 7
# Below every logit: a window of which nothing was read.
_NOTHING = -20.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a block: by the name of a score, its value for each file; None where there is none."""

    name: str
    questions: int
    values: Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class Spans:
    """Means over the questions of a kind, in 0..1; None without questions, or where exact match says nothing."""

    f1: float | None
    exact: float | None


def spans(reader: Reader, kind: PointedKind, pool: ThreadPoolExecutor) -> Spans:
    """How well a reader points at the answers of a kind."""
    readings = pool.map(lambda q: reader.read(q.question, [q.window])[0], kind.questions)
    f1, exact = [], []
    for asked, reading in zip(kind.questions, readings, strict=True):
        said = asked.window[reading.best.start : reading.best.end] if reading.best else ""
        f1.append(metrics.f1(said, asked.answers, asked.read))
        exact.append(metrics.exact_match(said, asked.answers, asked.read))
    return Spans(fmean(f1) if f1 else None, fmean(exact) if exact and kind.exact else None)


def span_rows(kinds: Sequence[PointedKind], found: Sequence[Sequence[Spans]]) -> list[Row]:
    """A row for each kind and one for the mean of each group that has several; `found`: (files, kinds)."""
    rows = []
    for group in dict.fromkeys(kind.group for kind in kinds):
        places = [i for i, kind in enumerate(kinds) if kind.group == group]
        part = [
            Row(
                kinds[i].name,
                len(kinds[i].questions),
                {"F1": tuple(file[i].f1 for file in found), "exact": tuple(file[i].exact for file in found)},
            )
            for i in places
        ]
        rows += [*part, _mean(f"mean, {group}", part)] if len(part) > 1 else part
    return rows


def _mean(name: str, rows: Sequence[Row]) -> Row:
    """The mean of each score over the rows that have it."""
    values = {}
    for score in rows[0].values:
        columns = zip(*(row.values[score] for row in rows), strict=True)
        known = ([value for value in column if value is not None] for column in columns)
        values[score] = tuple(fmean(column) if column else None for column in known)
    return Row(name, sum(row.questions for row in rows), values)


def told(reader: Reader, questions: Sequence[Told], pool: ThreadPoolExecutor) -> Floats:
    """(questions, 2): the largest logit of "answered", and the largest margin of a span over none, of the windows."""

    def scores(asked: Told) -> tuple[float, float]:
        readings = reader.read(asked.question, asked.windows)
        margins = [r.best.margin for r in readings if r.best is not None]
        return max(r.logit for r in readings), max(margins, default=_NOTHING)

    return np.array(list(pool.map(scores, questions)), np.float64).reshape(-1, 2)


def area(truth: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> float | None:
    """The area under the ROC curve, 0 to 1: how often an answered question scores above another one, ties half.

    Fawcett 2006, "An introduction to ROC analysis", section 7; `weights` are of the questions, None: all alike. None
    when all questions are answered, or none is.
    """
    answered, values = np.asarray(truth, bool), np.asarray(scores, np.float64)
    weigh = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    if answered.all() or not answered.any():
        return None
    above = values[answered, None] - values[None, ~answered]
    share = weigh[answered, None] * weigh[None, ~answered]
    return float((((above > 0) + (above == 0) / 2) * share).sum() / share.sum())


def told_rows(kinds: Sequence[ToldKind], found: Sequence[Floats]) -> list[Row]:
    """A row for each kind, one for all questions together, kinds and sides alike, and the mean of the kinds.

    `found`: of each file (questions of all kinds in order, 2), of `told`.
    """
    truth = np.array([q.answered for kind in kinds for q in kind.questions], bool)
    of_kind = np.repeat(np.arange(len(kinds)), [len(kind.questions) for kind in kinds])
    sides = of_kind * 2 + truth
    weights = 1 / np.bincount(sides, minlength=2 * len(kinds))[sides]
    scored = [_scores(scores) for scores in found]
    rows = [
        Row(
            kind.name,
            len(kind.questions),
            _areas(scored, truth, np.where(of_kind == place, 1.0, 0.0)),
        )
        for place, kind in enumerate(kinds)
    ]
    return [
        *rows,
        _mean("mean of the kinds", rows),
        Row(ALL, len(truth), _areas(scored, truth, weights)),
    ]


def _areas(
    scored: Sequence[Mapping[str, Floats]], truth: npt.NDArray[np.bool_], weights: Floats
) -> dict[str, tuple[float | None, ...]]:
    chosen = weights > 0
    return {
        name: tuple(area(truth[chosen], file[name][chosen], weights[chosen]) for file in scored)
        for name in (scored[0] if scored else ())
    }


def _scores(found: Floats) -> dict[str, Floats]:
    """Name -> (questions,) of the logit, the margin, and the mean of their z scores over all questions."""
    z = (found - found.mean(axis=0)) / np.maximum(found.std(axis=0), 1e-9)
    return {"logit": found[:, 0], "margin": found[:, 1], "mean z": z.mean(axis=1)}


def batches(held: Corpus, encoder: PairEncoder) -> list[tuple[str, list[str]]]:
    """For each language that has so much text, a question and `_BATCH` windows of `_TOKENS` tokens."""
    found = []
    for language in LANGUAGES:
        asks = [item for passage in held.passages for item in xquad_items(passage, language, language)]
        text = " ".join(p.contexts[language] for p in held.passages if language in p.contexts)
        windows: list[str] = []
        while asks and text and len(windows) < _BATCH:
            (row,) = encoder.rows([""], [text[: 20 * _TOKENS]])
            end = row.offsets[min(_TOKENS, len(row.offsets)) - 1][1]
            windows.append(text[:end])
            text = text[end:].lstrip()
        if len(windows) == _BATCH:
            found.append((asks[0].question, windows))
    return found


def times(readers: Sequence[Reader], work: Sequence[tuple[str, Sequence[str]]]) -> list[Row]:
    """The median and the least of milliseconds a window; the readers take turns, so that other work meets them all."""
    taken: list[list[float]] = [[] for _ in readers]
    for number in range(1 + _ROUNDS):
        for question, windows in work:
            for reader, mine in zip(readers, taken, strict=True):
                started = time.perf_counter()
                reader.read(question, windows)
                if number:  # the first round warms up
                    mine.append(1000 * (time.perf_counter() - started) / len(windows))
    many = _ROUNDS * sum(len(windows) for _, windows in work)
    return [
        Row(label, many, {"ms": tuple(statistic(mine) if mine else None for mine in taken)})
        for label, statistic in (("median", median), ("least", min))
    ]


def table(title: str, rows: Sequence[Row], files: Sequence[str], *, digits: int = 2) -> str:
    """Rows as a table in Markdown with a column for each file; several scores of a file stand in one cell."""
    names = list(rows[0].values) if rows else []
    lines = [f"| {title}: {' / '.join(names)} | n | {' | '.join(files)} |", "|---" * (2 + len(files)) + "|"]
    for row in rows:
        columns = zip(*row.values.values(), strict=True)
        cells = [" / ".join("-" if v is None else f"{v:.{digits}f}" for v in column) for column in columns]
        lines.append(f"| {row.name} | {row.questions} | {' | '.join(cells)} |")
    return "\n".join(lines)


def labels(files: Sequence[Path]) -> list[str]:
    """A name for each file: its stem, or all of its path where two have one stem."""
    stems = [path.stem for path in files]
    return [stem if stems.count(stem) == 1 else str(path) for stem, path in zip(stems, files, strict=True)]


def _texts(pointed: Sequence[PointedKind], asked: Sequence[ToldKind]) -> Iterator[str]:
    """All that is asked, and of what: what two runs must share to be compared."""
    for kind in pointed:
        for q in kind.questions:
            yield from (q.question, q.window, *q.answers)
    for other in asked:
        for t in other.questions:
            yield from (t.question, *t.windows, str(t.answered))


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--limit", default=120, show_default=True, type=click.IntRange(1), help="Questions a row.")
@click.option(
    "--json", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all figures there."
)
def main(data: Path, files: tuple[Path, ...], limit: int, out: Path | None) -> None:
    """Measure the readers FILES on DATA, the folder of public data."""
    held = read_corpus(data).fold(FOLD, inside=True)
    pointed = pointed_kinds(data, held, limit=limit)
    asked = told_kinds(data, held, limit=limit)
    questions = [question for kind in asked for question in kind.questions]
    names, readers = labels(files), [Reader.load(path) for path in files]
    span_scores, told_scores = [], []
    with ThreadPoolExecutor(_THREADS) as pool:
        for name, reader in zip(names, readers, strict=True):
            if reader.held_out != FOLD:
                click.echo(f"{name} did not hold out fold {FOLD}: it learnt from what it is asked", err=True)
            click.echo(f"{name}: spans", err=True)
            span_scores.append([spans(reader, kind, pool) for kind in pointed])
            click.echo(f"{name}: answered", err=True)
            told_scores.append(told(reader, questions, pool))
    blocks = {
        "spans": span_rows(pointed, span_scores),
        "answered": told_rows(asked, told_scores),
        "time": times(readers, batches(held, PairEncoder.bundled())),
    }
    for (block, rows), digits in zip(blocks.items(), (2, 2, 1), strict=True):
        click.echo(table(block, rows, names, digits=digits) + "\n")
    if out is not None:
        settings = {"limit": limit, "fold": FOLD, "seed": SEED}
        report = {
            **settings,
            "sample": sha256(_texts(pointed, asked)),
            "files": {name: file_hash(path) for name, path in zip(names, files, strict=True)},
            **{block: [asdict(row) for row in rows] for block, rows in blocks.items()},
        }
        out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
