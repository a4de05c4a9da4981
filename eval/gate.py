"""The gate: what a run must reach, and how much it may fall behind the baseline."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.records import Gate, Report
from index.errors import UsageError

_SLACK = 1e-9  # of floating-point sums: a mean of exactly the floor passes


class Thresholds(BaseModel):
    """A thresholds file: metric -> value in [0, 1] in each table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    floors: dict[str, float] = Field({}, description="The mean over all cases must reach this.")
    worst_cell: dict[str, float] = Field(
        {}, description="So must the mean of every pair of question language and document language."
    )
    drops: dict[str, float] = Field(
        {}, description="The mean paired difference to the baseline may be this much below 0."
    )


def read_thresholds(path: Path) -> Thresholds:
    """Read a thresholds file.

    Raises:
        UsageError: it is missing, not TOML, has unknown tables, values outside [0, 1], or sets nothing.
    """
    try:
        found = Thresholds(**tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): name a file with --thresholds"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{path}: {where}: {first['msg'].lower()}; the tables are floors, worst_cell and drops"
        ) from error
    values = {**found.floors, **found.worst_cell, **found.drops}
    for metric, value in values.items():
        if not 0 <= value <= 1:
            raise UsageError(f"{path}: {metric} = {value} must lie between 0 and 1")
    if not values:
        raise UsageError(f"{path} sets no threshold: a gate that asks for nothing is none")
    return found


def gates(report: Report, thresholds: Thresholds) -> tuple[Gate, ...]:
    """Every threshold held against a run. What was not measured has not passed."""
    return (
        _nothing_failed(report),
        *_floors(report, thresholds),
        *_cells(report, thresholds),
        *_drops(report, thresholds),
    )


def _nothing_failed(report: Report) -> Gate:
    failed = [record for record in report.records if record.error is not None]
    if not failed:
        return Gate("no failure", True, f"all {len(report.records)} questions were answered or refused")
    first = failed[0]
    return Gate(
        "no failure",
        False,
        f"{len(failed)} of {len(report.records)} questions failed, first {first.task.id}: {first.error}",
    )


def _floors(report: Report, thresholds: Thresholds) -> Iterator[Gate]:
    for metric, floor in thresholds.floors.items():
        found = report.estimates.get(metric)
        name = f"{metric} at least {floor:.3f}"
        if found is None:
            yield Gate(name, False, f"{metric} was not measured; the floor is {floor:.3f}")
            continue
        interval = f"95 % interval {found.low:.3f} to {found.high:.3f}, {found.cases} cases"
        yield Gate(
            name,
            found.value >= floor - _SLACK,
            f"{metric} is {found.value:.3f} ({interval}), the floor is {floor:.3f}",
        )


def _cells(report: Report, thresholds: Thresholds) -> Iterator[Gate]:
    for metric, floor in thresholds.worst_cell.items():
        cells = report.matrices.get(metric, ())
        name = f"{metric} at least {floor:.3f} for every pair of languages"
        if not cells:
            yield Gate(name, False, f"{metric} was not measured by language; the floor is {floor:.3f}")
            continue
        worst = min(cells, key=lambda cell: cell.value)
        pair = f"{worst.question_language} -> {worst.document_language}"
        yield Gate(
            name,
            worst.value >= floor - _SLACK,
            f"{metric} is {worst.value:.3f} in its worst cell, {pair} ({worst.cases} cases), the floor is {floor:.3f}",
        )


def _drops(report: Report, thresholds: Thresholds) -> Iterator[Gate]:
    compared = {comparison.metric: comparison for comparison in report.comparisons}
    for metric, allowed in thresholds.drops.items():
        found = compared.get(metric)
        name = f"{metric} at most {allowed:.3f} below the baseline"
        if found is None:
            yield Gate(name, False, f"{metric} was not compared: give a baseline of the same cases")
            continue
        yield Gate(
            name,
            found.difference >= -allowed - _SLACK,
            f"{metric} moved by {found.difference:+.3f} (95 % interval {found.low:+.3f} to {found.high:+.3f}, "
            f"p {found.p:.3f}; {found.win} better, {found.tie} equal, {found.loss} worse), allowed is -{allowed:.3f}",
        )
