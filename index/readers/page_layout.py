"""The reading order of a printed page: runs of text by where they stand, to lines, columns and tables.

Lengths are in points, the origin is the lower left corner. Words that stand apart on the page, in two columns or two
cells, never come into one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import regex

# In heights of the letters: runs that stand apart at least so far may be of two columns; lines whose middles differ by
# less are one; lines farther apart than so many usual distances are of two paragraphs. Chosen on printed pages.
_GUTTER = 1.0
_SAME_LINE = 0.5
_APART = 1.45
# Columns of text have lines of so many characters; those of tables mostly hold less.
_LINE_OF_TEXT = 16
_FEWEST_ROWS = 2
_MOST_COLUMNS = 40
# Rows of columns that begin far from each other are looked at so far; it keeps hostile pages linear.
_LOOKED_AT = 60
_VALUE = regex.compile(r"[^\p{L}]*\p{N}[^\p{L}]*(?:\p{L}[\p{L}\p{M}.²³]{0,11})?[^\p{L}\p{N}]*")


@dataclass(frozen=True, slots=True)
class Run:
    """Words that stand beside each other on one line.

    Args:
        left, bottom, right, top: their box.
        size: of the font.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float

    @property
    def middle(self) -> float:
        """The height at which it stands."""
        return (self.bottom + self.top) / 2


Row = list[Run]
"""The runs of one printed line, from left to right."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of running text; `after_gap`: more space than usual is above it."""

    text: str
    size: float
    after_gap: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """Lines that are read one after the other."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Cells by row; a row that was printed on several lines is one."""

    grid: tuple[tuple[str, ...], ...]


Part = Column | Table


def parts_of(runs: Sequence[Run], *, leftward: bool = False) -> list[Part]:
    """The columns and tables of a page in reading order.

    Args:
        runs: of the page, in any order.
        leftward: the page's script runs from right to left: so are its columns read.
    """
    return list(_ordered(_rows(runs), leftward))


def _rows(runs: Sequence[Run]) -> list[Row]:
    """The printed lines from top to bottom."""
    rows: list[Row] = []
    for run in sorted(runs, key=lambda each: -each.middle):
        row = rows[-1] if rows else []
        if row and row[0].middle - run.middle < _SAME_LINE * min(row[0].size, run.size):
            row.append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda each: each.left) for row in rows]


def _ordered(rows: Sequence[Row], leftward: bool) -> Iterator[Part]:
    at = 0
    plain: list[Row] = []
    while at < len(rows):
        end, valleys = _band(rows, at)
        if not valleys:
            plain.append(rows[at])
            at += 1
            continue
        band = list(rows[at:end])
        # What stands directly above, all in one of the columns, belongs to it.
        while plain and _fits(plain[-1], valleys) and _near(plain[-1], band[0]):
            band.insert(0, plain.pop())
        yield from _lines(plain, leftward)
        plain = []
        grid = _grid(band, valleys)
        if _is_table(grid):
            yield Table(tuple(map(tuple, _whole_rows(grid, band))))
        else:
            cut = _widest(valleys)
            left = [[run for run in row if run.right <= cut] for row in band]
            right = [[run for run in row if run.right > cut] for row in band]
            for half in (right, left) if leftward else (left, right):
                yield from _ordered([row for row in half if row], leftward)
        at = end
    yield from _lines(plain, leftward)


def _band(rows: Sequence[Row], start: int) -> tuple[int, list[tuple[float, float]]]:
    """Where the rows end that leave the same gutters free as `rows[start]`, and these; none where too few do."""
    valleys = _gaps(rows[start])
    if len(valleys) >= _MOST_COLUMNS:
        return start + 1, []
    end, divided = start + 1, 1
    for previous, row in pairwise(rows[start:]):
        free = _free(row, valleys)
        # One run beside the gutters: of a column only if it follows closely.
        if not free or (not _gaps(row) and (not _near(previous, row) or end - start >= _LOOKED_AT > divided)):
            break
        valleys = free
        divided += bool(_gaps(row))
        end += 1
    while end > start and not _gaps(rows[end - 1]) and divided < _FEWEST_ROWS:
        end -= 1
    return (end, valleys) if divided >= _FEWEST_ROWS else (start + 1, [])


def _gaps(row: Row) -> list[tuple[float, float]]:
    """The gutters within a row."""
    return [(a.right, b.left) for a, b in pairwise(row) if b.left - a.right >= _GUTTER * min(a.size, b.size)]


def _free(row: Row, valleys: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What a row leaves of the gutters of those before it."""
    least = _GUTTER * min(run.size for run in row)
    edges = [float("-inf"), *(edge for run in row for edge in (run.left, run.right)), float("inf")]
    open_ranges = list(zip(edges[::2], edges[1::2], strict=True))
    found = [(max(a, c), min(b, d)) for a, b in valleys for c, d in open_ranges]
    return [(a, b) for a, b in found if b - a >= least]


def _fits(row: Row, valleys: Sequence[tuple[float, float]]) -> bool:
    return len(_free(row, valleys)) == len(valleys)


def _near(upper: Row, lower: Row) -> bool:
    """Whether a row follows another as the next line of a paragraph does."""
    return min(run.bottom for run in upper) - max(run.top for run in lower) < max(
        run.size for run in (*upper, *lower)
    )


def _widest(valleys: Sequence[tuple[float, float]]) -> float:
    """Where to cut a band first: the middle of its widest gutter."""
    left, right = max(valleys, key=lambda valley: valley[1] - valley[0])
    return (left + right) / 2


def _grid(band: Sequence[Row], valleys: Sequence[tuple[float, float]]) -> list[list[str]]:
    cuts = sorted((left + right) / 2 for left, right in valleys)
    grid = []
    for row in band:
        cells = [""] * (len(cuts) + 1)
        for run in row:
            place = sum(cut < (run.left + run.right) / 2 for cut in cuts)
            cells[place] = f"{cells[place]} {run.text}".strip()
        grid.append(cells)
    return grid


def _is_table(grid: Sequence[Sequence[str]]) -> bool:
    """Whether cells belong together by row rather than by column.

    By column: lines of text. By row: where a column holds values, or labels with a colon; else where there are three
    columns of short cells and nearly all are filled. Two columns of short words tell nothing: they are kept apart.
    """
    columns = [[cell for cell in column if cell] for column in zip(*grid, strict=True)]
    short = [column for column in columns if median(map(len, column)) < _LINE_OF_TEXT]
    if not short:
        return False
    if any(
        _most([_VALUE.fullmatch(cell) is not None for cell in column[1:] or column]) for column in columns
    ):
        return True
    if _most([cell.endswith((":", "：")) for cell in columns[0]]):
        return True
    filled = sum(len(column) for column in columns) / (len(grid) * len(columns))
    return len(columns) > 2 and len(grid) > 2 and len(short) >= len(columns) - 1 and filled > 0.8


def _most(held: Sequence[bool]) -> bool:
    return 2 * sum(held) > len(held)


def _whole_rows(grid: Sequence[Sequence[str]], band: Sequence[Row]) -> list[list[str]]:
    """Rows; a printed line without a first cell that follows closely goes on with the row above."""
    rows: list[list[str]] = []
    for cells, (above, row) in zip(grid, pairwise([band[0], *band]), strict=True):
        if rows and not cells[0] and _near(above, row):
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(list(cells))
    return rows


def _lines(rows: Sequence[Row], leftward: bool) -> Iterator[Column]:
    if not rows:
        return
    steps = [a[0].middle - b[0].middle for a, b in pairwise(rows)]
    usual = median(steps) if steps else 0.0
    lines = []
    for i, row in enumerate(rows):
        runs = reversed(row) if leftward else row
        gap = i > 0 and steps[i - 1] > _APART * min(usual, 1.6 * row[0].size)
        lines.append(Line(" ".join(run.text for run in runs), max(run.size for run in row), gap))
    yield Column(tuple(lines))
