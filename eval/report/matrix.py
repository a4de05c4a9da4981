"""The cells of a matrix, laid out: a row for each question language, a column for each document language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval.records import Cell


@dataclass(frozen=True, slots=True)
class Matrix:
    """A laid-out matrix.

    Attributes:
        rows: question languages, sorted; `columns`: document languages, sorted, single ones first.
        cells: (question language, document language) -> cell; pairs that were not asked are not there.
        worst: the cell with the lowest value, of equal ones the one with most cases; None when there is no cell.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    worst: Cell | None

    @property
    def even(self) -> int | None:
        """The number of cases of every cell when it is the same, else None."""
        counts = {cell.cases for cell in self.cells.values()}
        return counts.pop() if len(counts) == 1 else None


def laid_out(cells: Iterable[Cell]) -> Matrix:
    """The matrix of some cells."""
    found = {(cell.question_language, cell.document_language): cell for cell in cells}
    return Matrix(
        rows=tuple(sorted({row for row, _ in found})),
        columns=tuple(sorted({column for _, column in found}, key=lambda name: (name.count("+"), name))),
        cells=found,
        worst=min(found.values(), key=lambda cell: (cell.value, -cell.cases), default=None),
    )
