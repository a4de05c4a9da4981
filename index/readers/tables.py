"""Tables to text: each row is a line that names its columns, so that it can be found, read and quoted by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import regex

from index.normalise import normalise_line
from index.readers.blocks import Block

Grid = Sequence[Sequence[str]]
"""The cells of a table by row, as text; a blank cell is "". Rows may differ in length."""

# A row is one sentence and a sentence has a longest length (`index.language.sentences`): wider rows come in lines that
# each begin with their first cell. Chosen below that length.
_LONGEST_ROW = 800
# The name of a column fits on a line; longer cells are text. Chosen.
_LONGEST_NAME = 80
_NUMBER = regex.compile(r"\p{N}")
_LETTER = regex.compile(r"\p{L}")
# A value: mostly digits, as amounts, dates, times and telephone numbers are.
_VALUE = regex.compile(r"[^\p{L}]*\p{N}[^\p{L}]*(?:\p{L}[\p{L}\p{M}.²³]{0,11})?[^\p{L}\p{N}]*")
# A column of values under a name that is none, in this share of its rows, shows that the first row is a header.
_MOSTLY = 0.5


def table_blocks(grid: Grid, *, header: bool | None = None, page: int | None = None) -> Iterator[Block]:
    """The rows of a table as blocks, each with the names of its columns: "Ward: River Side; Population: 9870".

    Rows of one cell above or between are lines of their own. Blank rows divide tables; a later one without a header
    of its own has that of the table before, if it is as wide.

    Args:
        header: whether the first row names the columns; None: as it looks.
        page: of the file.
    """
    rows = [[normalise_line(cell) for cell in row] for row in grid]
    width = max(map(len, rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    names: list[str] = []
    for blank, group in groupby(rows, key=lambda row: not any(row)):
        if blank:
            continue
        table = list(group)
        while table and width > 1 and sum(map(bool, table[0])) == 1:
            yield Block(_joined(table.pop(0)), kind="caption", page=page)
        if not table:
            continue
        if header or (header is None and _is_header(table[0], table[1:])):
            names, table = table[0], table[1:]
            header = None
        elif len(names) != width:
            names = []
        if not table:
            yield Block(_joined(names), kind="row", page=page)
        for i, line in enumerate(line for row in table for line in _lines(row, names)):
            yield Block(line, kind="row", tight=i > 0, page=page)


def record(fields: Sequence[tuple[str, str]]) -> str:
    """Names with their values as one line; fields without a value are left out."""
    return "; ".join(f"{name}: {value}" if name else value for name, value in fields if value)


def _lines(row: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """A row as a line, or as several that each begin with its first cell."""
    if not names:
        yield _joined(row)
        return
    fields = [(name.rstrip(" :："), value) for name, value in zip(names, row, strict=True) if value]
    key, *others = fields
    line = [key]
    for each in others:
        if len(line) > 1 and len(record([*line, each])) > _LONGEST_ROW:
            yield record(line)
            line = [key]
        line.append(each)
    yield record(line)


def _joined(row: Sequence[str]) -> str:
    """The cells of a row without column names: what stands first names the rest where there are two."""
    cells = [cell for cell in row if cell]
    if len(cells) == 2 and _LETTER.search(cells[0]) and len(cells[0]) <= _LONGEST_NAME:
        return f"{cells[0].rstrip(' :：')}: {cells[1]}"
    return " | ".join(cells)


def _is_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a row names the columns of those below it.

    It does when its cells are short names that differ from each other and from what is below, and a column holds values
    or there are too many columns for a list of names with what belongs to them.
    """
    named = [cell for cell in first if cell]
    if not others or len(named) < 2 or len(set(named)) < len(named):
        return False
    if len(named) < sum(any(row[i] for row in others) for i in range(len(first))) - 1:
        return False  # the first column alone may have no name
    if any(not _LETTER.search(cell) or len(cell) > _LONGEST_NAME or is_value(cell) for cell in named):
        return False
    below = [[row[i] for row in others if row[i]] for i in range(len(first))]
    if any(name and name in column for name, column in zip(first, below, strict=True)):
        return False
    valued = any(
        name and column and sum(map(is_value, column)) >= _MOSTLY * len(column)
        for name, column in zip(first, below, strict=True)
    )
    return valued or len(named) > 2


def is_value(cell: str) -> bool:
    """Whether a cell holds an amount, a date, a time or a number with its unit, and hardly a word more."""
    return _NUMBER.search(cell) is not None and _VALUE.fullmatch(cell) is not None
