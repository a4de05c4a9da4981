"""A run on a terminal and in a log: everything within the width, and nothing that a terminal would obey."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import regex
from made_runs import EMPTY, answer, make_report, record
from rich.cells import cell_len
from rich.console import Console
from texts import HOSTILE, by_id

from eval.records import (
    Cell,
    Comparison,
    Estimate,
    Gate,
    Report,
)
from eval.report import markdown, worst
from eval.report.labels import LABELS, label
from ui import evaluation_report


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report()


def terminal(report: Report, *, width: int | None = None, worst: int = 5) -> list[str]:
    """The lines that a terminal of a width shows, or, without one, a log."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=width is not None,
        color_system="standard" if width is not None else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    evaluation_report.show(console, report, worst=worst)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert width is not None or "\x1b" not in text
    return regex.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


@pytest.mark.parametrize("width", [None, 80, 100, 160], ids=["log", "80", "100", "160"])
def test_the_terminal_shows_everything_within_its_width(report: Report, width: int | None) -> None:
    lines = terminal(report, width=width)
    text = "\n".join(lines)
    assert max(map(cell_len, lines)) <= (width or 100)
    assert "gold set over the shipped documents" in lines[0]
    assert "31 cases · 1 failed" in text
    for number, metric in enumerate((*LABELS, "own|metric")):
        down = 0.03 * number
        numbers = rf"{0.9 - down:.3f} +{0.85 - down:.3f} to {0.95 - down:.3f} +{120 - number}"
        assert regex.search(regex.escape(label(metric).text) + " +" + numbers, text)
    assert regex.search(r"answerable +21 +15 answered +0\.714 +1\b", text)
    assert regex.search(r"-0\.051 +-0\.090 to -0\.012 +0\.012 +3/100/9", text)
    assert f"{0.5 - 2 * 0.03:.3f} (14)*" in text
    assert lines[-1] == "1 of 2 gates fell short"
    assert "FAIL  p95: 180 ms, asked for at most 100 ms <b>&" in lines


def test_a_worst_case_takes_one_line(report: Report) -> None:
    lines = terminal(report)
    start = next(number for number, line in enumerate(lines) if line.startswith("Worst cases"))
    shown = lines[start + 3 : start + 8]
    assert [line.split()[0] for line in shown] == [each.task.id for each in worst(report, 5)]
    assert "error: server said 500" in shown[0]
    assert "14 / fourteen" in shown[1]
    assert "Worst cases" not in "\n".join(terminal(report, worst=0))


@pytest.mark.parametrize("even", [True, False], ids=["same-counts", "other-counts"])
def test_a_wide_matrix_is_shown_in_parts(even: bool) -> None:
    names = [f"{a}{b}" for a in "abcd" for b in "xyz"]
    cells = tuple(
        Cell(row, column, 0.25 + 0.05 * i, 60 if even else 60 + i)
        for row in names
        for i, column in enumerate([*names, "+".join(names)])
    )
    lines = terminal(make_report(matrices={"answer_match": cells}))
    text = "\n".join(lines)
    assert max(map(cell_len, lines)) <= 100
    assert sum(text.count(f"{0.25 + 0.05 * i:.3f}") >= len(names) for i in range(13)) == 13
    assert len(regex.findall(r"0\.250( \(60\))?\*", text)) == 1
    assert ("60 cases in each cell" in text) is even


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_a_terminal_obeys_no_foreign_text(text: str) -> None:
    bad = record(text, question=text, said=answer(text), scores={"answer_match": 0.0})
    made = make_report(
        title=text, records=(bad,), gates=(Gate(text, False, text),), strata={text: {"cases": 1}}
    )
    lines = terminal(made)
    assert not regex.search(r"[\x00-\x09\x0b-\x1f\u202e]", "\n".join(lines))
    assert max(map(cell_len, lines)) <= 100


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(EMPTY, id="empty"),
        pytest.param(replace(EMPTY, records=(record("a"),)), id="one"),
        pytest.param(replace(EMPTY, records=(record("a", error="down", scores={}),)), id="failed"),
        pytest.param(make_report(estimates={"a": Estimate(3.0, -1.0, 12.0, 1, 1)}), id="beyond-0-and-1"),
        pytest.param(
            make_report(comparisons=(Comparison("a", 0.0, 0.0, 0.0, 1.0, 0, 1, 0),)), id="no-difference"
        ),
    ],
)
def test_small_runs_are_summed_up(made: Report) -> None:
    assert markdown.summary(made)
    assert terminal(made)
