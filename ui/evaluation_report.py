"""A run of the evaluation as the command line shows it, with rich.

On a terminal its width is used. Elsewhere (a log of CI, a file) lines have at most 100 columns and no colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import regex
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.records import Report
from eval.report.cases import Verdict, came, counted, expected, failures, verdict, worst
from eval.report.excerpt import excerpt
from eval.report.labels import label
from eval.report.matrix import Matrix, laid_out

LOG_COLUMNS = 100
"""Columns where there is no terminal to ask."""

_MATRICES = ("answer_match", "evidence@1")
_CLUSTERS = regex.compile(r"\X")
_CELL = 300  # code points of a name; what a report can hold is not limited
_HEAD = 8  # a column of "0.500*" or "0.500 (12)*" is not made wider by this
_GAP = 2  # columns between two columns of a table
_SHORT: dict[Verdict, str] = {
    "failed": "failed",
    "wrongly answered": "answered",
    "wrongly refused": "refused",
    "wrong": "wrong",
    "right": "right",
}


def show(console: Console, report: Report, *, worst: int = 5) -> None:
    """Print a run: estimates, strata, matrices, latency, comparison, the worst cases, and last the gates.

    Args:
        worst: how many cases to list, one line each.
    """
    with _columns(console):
        _headline(console, report)
        _estimates(console, report)
        _strata(console, report)
        for metric in _MATRICES:
            _matrix(console, label(metric).text, laid_out(report.matrices.get(metric, ())))
        _languages(console, report)
        _comparisons(console, report)
        _worst(console, report, worst)
        _gates(console, report)


@contextmanager
def _columns(console: Console) -> Iterator[None]:
    """Where there is no terminal, rich would take 80 columns or what the environment says."""
    if console.is_terminal:
        yield
        return
    width = console.width
    console.width = LOG_COLUMNS
    try:
        yield
    finally:
        console.width = width


def _headline(console: Console, report: Report) -> None:
    console.print(Text(_fit(report.title, console.width), style="bold"), soft_wrap=True)
    parts = [counted(len(report.records), "case")]
    if failed := failures(report.records):
        parts.append(f"{failed:,} failed")
    if report.latency_ms:
        parts.append(
            "latency " + ", ".join(f"{name} {value:,.0f} ms" for name, value in report.latency_ms.items())
        )
    parts.append(report.created)
    console.print(Text(_fit(" · ".join(parts), console.width), style="dim"), soft_wrap=True)


def _estimates(console: Console, report: Report) -> None:
    rows = [
        (label(metric).text, f"{each.value:.3f}", f"{each.low:.3f} to {each.high:.3f}", f"{each.cases:,}")
        for metric, each in report.estimates.items()
    ]
    _table(console, "Estimates", ("", "mean", "95 % interval", "cases"), rows)


def _strata(console: Console, report: Report) -> None:
    rows = []
    for stratum, counts in report.strata.items():
        cases, refused, failed = (counts.get(name, 0) for name in ("cases", "refused", "failed"))
        rightly = cases - refused - failed if stratum == "answerable" else refused
        what = "answered" if stratum == "answerable" else "refused"
        share = f"{rightly / cases:.3f}" if cases else "-"
        rows.append((stratum, f"{cases:,}", f"{rightly:,} {what}", share, f"{failed:,}"))
    _table(console, "Kinds of questions", ("", "cases", "as it should be", "share", "failed"), rows)


def _languages(console: Console, report: Report) -> None:
    rows = [
        (f"{label(metric).text}: same language minus others", f"{gap:+.3f}")
        for metric, gap in report.parity.items()
    ]
    if report.bias is not None:
        rows.append(("First passage in the question's language, others hold it too", f"{report.bias:.3f}"))
    _table(console, "Between languages", ("", "value"), rows)


def _comparisons(console: Console, report: Report) -> None:
    rows = [
        (
            label(each.metric).text,
            f"{each.difference:+.3f}",
            f"{each.low:+.3f} to {each.high:+.3f}",
            f"{each.p:.3f}",
            f"{each.win}/{each.tie}/{each.loss}",
        )
        for each in report.comparisons
    ]
    _table(console, "Against the baseline", ("", "difference", "95 % interval", "p", "win/tie/loss"), rows)


def _gates(console: Console, report: Report) -> None:
    if not report.gates:
        return
    _heading(console, "Gates")
    for gate in sorted(report.gates, key=lambda each: not each.passed):
        mark, style = ("pass", "green") if gate.passed else ("FAIL", "bold red")
        line = Text(mark, style=style)
        line.append("  " + excerpt(f"{gate.name}: {gate.message}", length=1000), style="none")
        for number, part in enumerate(line.wrap(console, console.width - 6)):
            console.print(Text(" " * 6 if number else "").append_text(part), soft_wrap=True)
    fell = sum(not gate.passed for gate in report.gates)
    total = counted(len(report.gates), "gate")
    console.print(Text(f"{fell} of {total} fell short" if fell else f"all of {total} passed"), soft_wrap=True)


# -- the matrix


def _matrix(console: Console, name: str, matrix: Matrix) -> None:
    """A table, in several parts where its columns do not fit."""
    if matrix.worst is None:
        return
    said = {key: _value(matrix, *key) for key in matrix.cells}
    side = max(cell_len(row) for row in matrix.rows) + 1
    note = f"{counted(matrix.even, 'case')} in each cell" if matrix.even else "(cases)"
    _heading(console, f"{name}, question language by document language; {note}; * the lowest")
    for columns in _parts(matrix, said, console.width - side):
        rows: list[list[str | Text]] = []
        for row in matrix.rows:
            cells = [
                Text(said.get((row, column), ""), style=_cell_style(matrix, row, column))
                for column in columns
            ]
            rows.append([row, *cells])
        _table(console, None, ("", *map(_broken, columns)), rows)


def _value(matrix: Matrix, row: str, column: str) -> str:
    cell = matrix.cells[row, column]
    mark = "*" if cell is matrix.worst else " "
    return f"{cell.value:.3f}" + ("" if matrix.even else f" ({cell.cases:,})") + mark


def _cell_style(matrix: Matrix, row: str, column: str) -> str:
    cell = matrix.cells.get((row, column))
    return "bold red" if cell is not None and cell is matrix.worst else "none"


def _parts(matrix: Matrix, said: dict[tuple[str, str], str], room: int) -> Iterator[list[str]]:
    """The columns in runs that fit in `room` terminal columns."""
    run: list[str] = []
    used = 0
    for column in matrix.columns:
        texts = [said.get((row, column), "") for row in matrix.rows]
        width = max(cell_len(text) for text in (*texts, *_broken(column).split("\n"))) + _GAP
        if run and used + width > room:
            yield run
            run, used = [], 0
        run.append(column)
        used += width
    yield run


def _broken(column: str) -> str:
    """A long "ar+bn+hi+sv" over several lines, so that a column stays about as narrow as its numbers."""
    return column if cell_len(column) <= _HEAD else column.replace("+", "+\n")


# -- the worst cases


def _worst(console: Console, report: Report, n: int) -> None:
    records = worst(report, n)
    if not records:
        if n > 0 and report.records:
            console.print("\nNo case went wrong.", soft_wrap=True)
        return
    known = (max(len(each.task.id) for each in records), max(len(_SHORT[verdict(each)]) for each in records))
    first = min(known[0], 20)
    room = console.width - first - known[1] - 4 * _GAP
    widths = (room * 45 // 100, room * 25 // 100, room * 30 // 100)
    rows = [
        (
            _fit(each.task.id, first),
            _SHORT[verdict(each)],
            *(
                _fit(text, width)
                for text, width in zip((each.task.question, expected(each), came(each)), widths, strict=True)
            ),
        )
        for each in records
    ]
    _table(console, "Worst cases", ("case", "", "question", "expected", "came"), rows, numbers=False)


def _fit(text: str, width: int) -> str:
    """A text on one line in at most `width` terminal columns, cut between grapheme clusters."""
    line = excerpt(text, length=max(4 * width, 1))
    if cell_len(line) <= width:
        return line
    kept, used = "", 0
    for cluster in _CLUSTERS.findall(line):
        if used + cell_len(cluster) > width - 1:
            break
        kept, used = kept + cluster, used + cell_len(cluster)
    return kept.rstrip() + "…"


# -- tables


def _heading(console: Console, text: str) -> None:
    console.print()
    for line in Text(_plain(text), style="bold").wrap(console, console.width):
        console.print(line, soft_wrap=True)


def _plain(text: str) -> str:
    """A text without what a terminal would obey; its lines stay."""
    return "\n".join(excerpt(line, length=_CELL) for line in text.split("\n"))


def _table(
    console: Console,
    title: str | None,
    head: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    numbers: bool = True,
) -> None:
    """Print a table, nothing when it has no rows; `numbers`: all columns but the first are set to the right."""
    rows = list(rows)
    if not rows:
        return
    if title is not None:
        _heading(console, title)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0))
    for number, name in enumerate(head):
        right = numbers and number > 0
        table.add_column(
            Text(_plain(name)), justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    for row in rows:
        table.add_row(*(each if isinstance(each, Text) else Text(_plain(each)) for each in row))
    console.print(table)
