"""From records to a report: means with intervals, strata, matrices by language, and a baseline to compare with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from eval import statistics
from eval.baseline import Baseline
from eval.records import STRATA, Cell, Comparison, Estimate, Record, Report

METRICS = (
    "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "evidence@1", "evidence", "answer_match", "short_answer",
    "char3_recall", "f1", "answered", "citation_exact", "citation_precision", "citation_recall", "answer_language",
)  # fmt: skip
"""Per-case metrics in the order in which they are shown."""

MATRICES = ("recall@1", "recall@5", "evidence@1", "answer_match", "short_answer", "answered")
"""Metrics shown by question language and document language."""


def summarise(
    title: str,
    settings: Mapping[str, str],
    records: Sequence[Record],
    *,
    seed: int = 0,
    baseline: Baseline | None = None,
) -> Report:
    """The report of a run.

    Args:
        records: at least one; every one of the tasks that were asked.
        baseline: an earlier run of the same cases over the same data.

    Raises:
        UsageError: the baseline is of other cases, data or another normaliser.
    """
    latencies = [record.latency_ms for record in records if record.error is None]
    return Report(
        title=title,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=dict(sorted(settings.items())),
        records=tuple(records),
        estimates=_estimates(records, seed=seed),
        strata=_strata(records),
        matrices={metric: cells for metric in MATRICES if (cells := _matrix(records, metric))},
        parity=_parity(records),
        bias=_bias(records),
        latency_ms=statistics.percentiles(latencies) if latencies else {},
        comparisons=() if baseline is None else _compare(records, settings, baseline, seed=seed),
    )


def _estimates(records: Sequence[Record], *, seed: int) -> dict[str, Estimate]:
    found = {}
    for metric in METRICS:
        having = [record for record in records if metric in record.scores]
        if having:
            found[metric] = _mean(having, [r.scores[metric] for r in having], seed=seed)
    refused = [record for record in records if record.answer.get("refused")]
    if refused:
        found["refusal_precision"] = _mean(refused, [float(r.task.must_refuse) for r in refused], seed=seed)
    unanswerable = [record for record in records if record.task.must_refuse]
    if unanswerable:
        values = [r.scores["refused"] for r in unanswerable]
        found["refusal_recall"] = _mean(unanswerable, values, seed=seed)
    for stratum in STRATA[1:]:
        of_it = [record for record in unanswerable if record.task.stratum == stratum]
        if of_it:
            values = [r.scores["refused"] for r in of_it]
            found[f"refusal_recall.{stratum}"] = _mean(of_it, values, seed=seed)
    return found


def _mean(records: Sequence[Record], values: Sequence[float], *, seed: int) -> Estimate:
    return statistics.estimate(values, [record.task.group for record in records], seed=seed)


def _strata(records: Sequence[Record]) -> dict[str, dict[str, int]]:
    return {
        stratum: {
            "cases": len(of_it),
            "refused": sum(bool(record.answer.get("refused")) for record in of_it),
            "failed": sum(record.error is not None for record in of_it),
        }
        for stratum in STRATA
        if (of_it := [record for record in records if record.task.stratum == stratum])
    }


def _matrix(records: Sequence[Record], metric: str) -> tuple[Cell, ...]:
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        if metric in record.scores and not record.task.must_refuse:
            row = record.task.language, "+".join(record.task.document_languages)
            cells[row].append(record.scores[metric])
    return tuple(
        Cell(asked, language, sum(values) / len(values), len(values))
        for (asked, language), values in sorted(cells.items())
    )


def _parity(records: Sequence[Record]) -> dict[str, float]:
    """Same-language mean minus cross-language mean, where there are both."""
    found = {}
    for metric in MATRICES:
        having = [r for r in records if metric in r.scores and not r.task.must_refuse]
        same = [r.scores[metric] for r in having if r.task.same_language]
        cross = [r.scores[metric] for r in having if not r.task.same_language]
        if same and cross:
            found[metric] = sum(same) / len(same) - sum(cross) / len(cross)
    return found


def _bias(records: Sequence[Record]) -> float | None:
    firsts = [
        record.retrieved[0].language == record.task.language
        for record in records
        if record.retrieved and record.task.same_language and len(record.task.document_languages) > 1
    ]
    return sum(firsts) / len(firsts) if firsts else None


def _compare(
    records: Sequence[Record], settings: Mapping[str, str], baseline: Baseline, *, seed: int
) -> tuple[Comparison, ...]:
    baseline.require_comparable(settings)
    groups = {record.task.id: record.task.group for record in records}
    found = []
    for metric in (*METRICS, "refused"):
        now = {r.task.id: r.scores[metric] for r in records if metric in r.scores}
        then = {id_: scores[metric] for id_, scores in baseline.scores.items() if metric in scores}
        # A metric of one answer only (no citation, nothing to compare with) is left out of the pairs.
        both = now.keys() & then.keys()
        if both:
            found.append(
                statistics.compare(
                    metric,
                    {id_: now[id_] for id_ in sorted(both)},
                    {id_: then[id_] for id_ in sorted(both)},
                    groups,
                    seed=seed,
                )
            )
    return tuple(found)
