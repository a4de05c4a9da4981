"""Spreadsheets: XLSX, XLSB, XLS and ODS by python-calamine, CSV and TSV by the standard library."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any

import regex

from index.errors import ReadError, SkipReason
from index.readers.archive import Archive, broken
from index.readers.blocks import Block, Extract
from index.readers.plain import read_plain
from index.readers.tables import Grid, table_blocks

_WHAT = "the spreadsheet"
_MEDIA_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
# The library lays out a sheet from its first cell to its last: two cells in far corners would take all memory.
_MOST_CELLS = 20_000_000
_CELL = regex.compile(rb'<(?:\w+:)?c [^>]{0,200}?\br="([A-Z]{1,3})([0-9]{1,7})"')
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50


def read_sheets(data: bytes, *, max_bytes: int) -> Extract:
    """The rows of a workbook's visible sheets, each sheet under its name as a heading where there are several.

    Raises:
        ReadError: `too_large` when it unpacks to more than 4 times `max_bytes` or spans too many cells, `encrypted`,
            `broken`.
    """
    kind = "xls"
    if zipfile.is_zipfile(io.BytesIO(data)):
        archive = Archive(data, what=_WHAT, max_bytes=max_bytes)
        kind = "ods" if "content.xml" in archive.names else "xlsx"
        _check_extent(archive)
    # Imported here because it is needed for spreadsheets alone.
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
            and sheet.visible == calamine.SheetVisibleEnum.Visible
        ]
        grids = {name: _grid(book.get_sheet_by_name(name)) for name in shown}
    except calamine.PasswordError as error:
        raise ReadError(
            SkipReason.ENCRYPTED, f"{_WHAT} is encrypted; open it with its password and save it without one"
        ) from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged file raises calamine's own errors and others
        raise broken(_WHAT) from error
    filled = {name: grid for name, grid in grids.items() if any(any(row) for row in grid)}
    return Extract(tuple(_blocks(filled)), _MEDIA_TYPES[kind])


def _blocks(grids: dict[str, Grid]) -> Iterator[Block]:
    for name, grid in grids.items():
        if len(grids) > 1:
            yield Block(name, kind="heading", level=0)
        yield from table_blocks(grid)


def _check_extent(archive: Archive) -> None:
    for name in archive.names:
        if not (name.startswith("xl/worksheets/") and name.endswith(".xml")):
            continue
        rows: set[int] = set()
        columns: set[bytes] = set()
        for match in _CELL.finditer(archive.part(name)):
            columns.add(match[1])
            rows.add(int(match[2]))
        numbers = [_column(each) for each in columns]
        if rows and (max(rows) - min(rows) + 1) * (max(numbers) - min(numbers) + 1) > _MOST_CELLS:
            raise ReadError(
                SkipReason.TOO_LARGE,
                f"a sheet spans more than {_MOST_CELLS:,} cells; delete what stands far from its table",
            )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _grid(sheet: Any) -> Grid:
    """The cells of a sheet as text; a merged cell's value stands in each cell that it covers."""
    rows = [[_text(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if top >= len(rows) or left >= len(rows[top]):
            continue
        across = left == right  # what is merged across columns is a title, said once
        for row in rows[top : bottom + 1] if across else ():
            row[left] = rows[top][left]
    return rows


def _text(value: object) -> str:
    """A cell as it reads: whole numbers without a fraction, dates as ISO 8601."""
    match value:
        case bool():
            return str(value).upper()
        case float() if abs(value) < 1e15:
            return f"{value:.15g}"
        case datetime():
            day, moment = value.date().isoformat(), value.time()
            return f"{day} {moment.isoformat(timespec='minutes')}" if moment != time() else day
        case date():
            return value.isoformat()
        case time():
            return value.isoformat(timespec="minutes")
        case _:
            return str(value)


def read_delimited(text: str) -> Extract:
    """The rows of delimited text; text that is not divided alike in most lines as plain text."""
    rows = _delimited(text)
    if rows is None:
        return read_plain(text)
    return Extract(tuple(table_blocks(rows, header=True if _named(rows) else None)), "text/csv")


def _named(rows: Grid) -> bool:
    """Whether the first row of delimited text can be names, as is the custom: filled, distinct, no bare number."""
    first = rows[0]
    return (
        all(first)
        and len(set(first)) == len(first)
        and not any(regex.fullmatch(r"[\p{N}\W]*", c) for c in first)
    )


def _delimited(text: str) -> list[list[str]] | None:
    """The cells of text by the delimiter that divides most of its first rows alike; None when none does."""
    best: tuple[float, int, str] | None = None
    for delimiter in _DELIMITERS:
        sample = _parsed(text, delimiter, most=_SAMPLE_ROWS)
        widths = Counter(len(row) for row in sample or () if row)
        if not widths:
            continue
        width, alike = widths.most_common(1)[0]
        found = (alike / widths.total(), width, delimiter)
        if width > 1 and (best is None or found > best):
            best = found
    return None if best is None or best[0] <= 0.5 else _parsed(text, best[2])


def _parsed(text: str, delimiter: str, *, most: int | None = None) -> list[list[str]] | None:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        return [[cell.strip() for cell in row] for row in islice(reader, most) if any(map(str.strip, row))]
    except csv.Error:
        return None
