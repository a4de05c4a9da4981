"""A run as one HTML file that needs nothing else: no script, no font, no request; light, dark and on paper.

Of each question language the first 400 cases are on it, those that went wrong before the others.

Questions, answers and quotes are foreign text: the template escapes all of them, and links go to http and https only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from eval.records import Comparison, Record, Report
from eval.report import files
from eval.report.cases import (
    VERDICTS,
    by_question_language,
    came,
    counted,
    expected,
    failures,
    verdict,
    worst,
)
from eval.report.labels import label
from eval.report.matrix import Matrix, laid_out

_WORST = 10
_SHOWN_CASES = (
    400  # for each question language: a case takes about 5 KB, and a browser slows down beyond some 20 MB
)
_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class _Shown:
    """A case as the page shows it."""

    record: Record
    verdict: str
    expected: str
    came: str


def write(path: Path, report: Report) -> None:
    """Write the page, replacing what is at `path` in one step.

    Raises:
        WorkError: it cannot be written there.
    """
    # A lone surrogate has no UTF-8; it is shown as a question mark.
    files.replace(path, _html(report).encode("utf-8", "replace"))


def _html(report: Report) -> str:
    from eval.report import figures  # matplotlib: 0.5 s that only a page needs

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(label=label, counted=counted, link=_link, heat=figures.heat)
    verdicts = [verdict(record) for record in report.records]
    values: Mapping[str, Any] = {
        "report": report,
        "css": (_FOLDER / "page.css").read_text(encoding="utf-8"),
        "failed": failures(report.records),
        "fell": sum(not gate.passed for gate in report.gates),
        "gates": sorted(report.gates, key=lambda gate: gate.passed),
        "matrices": dict(_matrices(report)),
        "strata": list(_strata(report)),
        "estimates_figure": figures.intervals(
            [
                figures.Interval(label(metric).text, each.value, each.low, each.high)
                for metric, each in report.estimates.items()
            ],
            name="estimates",
        ),
        "comparison_figure": figures.intervals(
            [
                figures.Interval(label(each.metric).text, each.difference, each.low, each.high, _worse(each))
                for each in report.comparisons
            ],
            name="comparison",
            around_zero=True,
        ),
        "latency_figure": figures.latency(
            [record.latency_ms for record in report.records if record.error is None],
            {
                name: value for name, value in report.latency_ms.items() if name != "max"
            },  # the axis ends there
        ),
        "worst": [_shown(record) for record in worst(report, _WORST)],
        "languages": {
            language: [_shown(record) for record in records]
            for language, records in by_question_language(report).items()
        },
        "shown_cases": _SHOWN_CASES,
        "verdicts": [(name, verdicts.count(name)) for name in VERDICTS if name in verdicts],
    }
    return environment.get_template("page.html").render(values)


def _shown(record: Record) -> _Shown:
    return _Shown(record, verdict(record), expected(record), came(record))


def _matrices(report: Report) -> Iterator[tuple[str, Matrix]]:
    for metric, cells in report.matrices.items():
        if cells:
            yield metric, laid_out(cells)


def _strata(report: Report) -> Iterator[tuple[str, int, int, int, str, float]]:
    """(stratum, cases, refused, failed, "answered" or "refused": as it should be, share of it)."""
    for stratum, counts in report.strata.items():
        cases, refused, failed = (counts.get(name, 0) for name in ("cases", "refused", "failed"))
        wanted = "answered" if stratum == "answerable" else "refused"
        rightly = cases - refused - failed if wanted == "answered" else refused
        yield stratum, cases, refused, failed, wanted, rightly / cases if cases else 0.0


def _worse(comparison: Comparison) -> bool:
    """Whether the whole interval lies below the baseline."""
    return comparison.high < 0


def _link(url: object) -> str | None:
    """An absolute http or https URL, None for anything else."""
    try:
        parts = urlsplit(str(url or ""))
        return str(url) if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None
