"""A run as Markdown: a summary for the page of a CI job, and tables for the documentation.

Questions and answers are foreign text: each ASCII mark that Markdown or HTML could read becomes a character reference.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from eval.records import Comparison, Estimate, Gate, Record, Report
from eval.report.cases import came, counted, expected, failures, verdict, worst
from eval.report.excerpt import excerpt
from eval.report.files import replace
from eval.report.labels import label
from eval.report.matrix import laid_out
from index.errors import WorkError

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The file that GitHub shows on the page of a job:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions#adding-a-job-summary"""

_SHOWN = 160
_WORST = 5
_REFERENCES = {ord(mark): f"&#{ord(mark)};" for mark in r"\`*_{}[]<>#!|&~$@:"}


def summary(report: Report) -> str:
    """The headline, the gates, estimates, matrices, comparison, and the five worst cases folded away."""
    parts = [f"## {_cell(report.title)}", _headline(report)]
    if report.gates:
        parts.append(_gates(report.gates))
    parts.append(_estimates(report.estimates.items()))
    parts.extend(_matrices(report, report.matrices))
    if report.comparisons:
        parts.append("### Against the baseline\n\n" + _comparisons(report.comparisons))
    if report.records:
        parts.append(_worst(worst(report, _WORST)))
    return "\n\n".join(part for part in parts if part) + "\n"


def tables(report: Report, metrics: Sequence[str]) -> str:
    """The estimates of some metrics and their matrices, of those that the run has, in the order given."""
    rows = [(metric, report.estimates[metric]) for metric in metrics if metric in report.estimates]
    parts = [_estimates(rows), *_matrices(report, metrics)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(path: Path, report: Report) -> None:
    """Write `summary` to a file.

    Raises:
        WorkError: it cannot be written.
    """
    replace(path, summary(report).encode("utf-8", "replace"))


def append_step_summary(report: Report) -> bool:
    """Append `summary` to the file that $GITHUB_STEP_SUMMARY names; whether there is one.

    Raises:
        WorkError: the file cannot be written.
    """
    name = os.environ.get(STEP_SUMMARY)
    if not name:
        return False
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(summary(report) + "\n")
    except OSError as error:
        raise WorkError(
            f"{name} cannot be written ({error.strerror}); unset {STEP_SUMMARY} to go without"
        ) from error
    return True


# -- parts


def _headline(report: Report) -> str:
    parts = [counted(len(report.records), "case")]
    if failed := failures(report.records):
        parts.append(f"**{failed:,} failed**")
    if report.gates:
        fell = sum(not gate.passed for gate in report.gates)
        parts.append(
            f"**{fell} of {counted(len(report.gates), 'gate')} fell short**" if fell else "all gates passed"
        )
    parts += [f"{name} {value:,.0f} ms" for name, value in report.latency_ms.items()]
    parts.append(_cell(report.created))
    return " · ".join(parts)


def _gates(gates: Iterable[Gate]) -> str:
    ordered = sorted(gates, key=lambda gate: gate.passed)
    rows = [
        ("pass" if gate.passed else "**FAIL**", _cell(gate.name), _cell(gate.message)) for gate in ordered
    ]
    return _table(("", "gate", "measured"), rows)


def _estimates(estimates: Iterable[tuple[str, Estimate]]) -> str:
    rows = [
        (
            _cell(label(metric).text),
            f"{each.value:.3f}",
            f"{each.low:.3f} to {each.high:.3f}",
            f"{each.cases:,}",
        )
        for metric, each in estimates
    ]
    return _table(("", "mean", "95 %", "cases"), rows) if rows else ""


def _matrices(report: Report, metrics: Iterable[str]) -> Iterator[str]:
    for metric in metrics:
        matrix = laid_out(report.matrices.get(metric, ()))
        if matrix.worst is None:
            continue
        rows = []
        for question in matrix.rows:
            row = [f"**{_cell(question)}**"]
            for document in matrix.columns:
                cell = matrix.cells.get((question, document))
                row.append("" if cell is None else _value(cell.value, cell.cases, cell is matrix.worst))
            rows.append(row)
        note = "Question language by document language, with the number of cases; the lowest in bold."
        table = _table(("question ↓ document →", *map(_cell, matrix.columns)), rows)
        yield f"### {_cell(label(metric).text)}\n\n{note}\n\n{table}"


def _value(value: float, cases: int, lowest: bool) -> str:
    return f"**{value:.3f}** ({cases:,})" if lowest else f"{value:.3f} ({cases:,})"


def _comparisons(comparisons: Iterable[Comparison]) -> str:
    rows = [
        (
            _cell(label(each.metric).text),
            f"{each.difference:+.3f}",
            f"{each.low:+.3f} to {each.high:+.3f}",
            f"{each.p:.3f}",
            f"{each.win} / {each.tie} / {each.loss}",
        )
        for each in comparisons
    ]
    return _table(("", "difference", "95 %", "p", "win / tie / loss"), rows)


def _worst(records: Sequence[Record]) -> str:
    if not records:
        return "No case went wrong."
    rows = [
        (
            _cell(each.task.id),
            verdict(each),
            _cell(each.task.language),
            _cell(each.task.question),
            _cell(expected(each)),
            _cell(came(each)),
        )
        for each in records
    ]
    table = _table(("case", "", "language", "question", "expected", "came"), rows)
    # GitHub reads Markdown inside HTML only after an empty line.
    return f"<details><summary>The worst {counted(len(records), 'case')}</summary>\n\n{table}\n\n</details>"


# -- cells


def _cell(text: str) -> str:
    return excerpt(text, length=_SHOWN).translate(_REFERENCES)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
