"""OpenDocument texts and presentations (ODT, ODP): paragraphs, lists, tables, notes, headers and footers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.errors import ReadError, SkipReason
from index.readers.archive import Archive, undamaged
from index.readers.blocks import Block, Extract
from index.readers.tables import table_blocks
from index.types import SentenceKind

_WHAT = "the OpenDocument file"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_PRESENTATION = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_TYPES = {
    "text": "application/vnd.oasis.opendocument.text",
    "presentation": "application/vnd.oasis.opendocument.presentation",
}
# What is written once and applies everywhere, and what was deleted.
_SKIPPED = frozenset(
    {f"{_TEXT}tracked-changes", f"{_OFFICE}annotation", f"{_OFFICE}forms", f"{_TEXT}sequence-decls"}
)
_MARKS = {f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}
# A file may ask for any number of spaces or of repeated cells and rows.
_MOST_REPEATED = 100


def read_opendocument(data: bytes, *, max_bytes: int) -> Extract:
    """The blocks of an ODT or ODP file.

    Raises:
        ReadError: `too_large` when it unpacks to more than 4 times `max_bytes`, `encrypted`, `broken`.
    """
    archive = Archive(data, what=_WHAT, max_bytes=max_bytes)
    if "META-INF/manifest.xml" in archive.names and b"encryption-data" in archive.part(
        "META-INF/manifest.xml"
    ):
        raise ReadError(
            SkipReason.ENCRYPTED, f"{_WHAT} is encrypted; open it with its password and save it without one"
        )
    return undamaged(lambda: _read(archive), _WHAT)


def _read(archive: Archive) -> Extract:
    body = archive.xml("content.xml").find(f"{_OFFICE}body")
    kind = "presentation" if body.find(f"{_OFFICE}presentation") is not None else "text"
    edges = archive.xml("styles.xml").iter(f"{_STYLE}header", f"{_STYLE}footer")
    seen = dict.fromkeys(
        text for edge in edges for text in map(_words, edge.iter(f"{_TEXT}p")) if text.strip()
    )
    blocks = [*_blocks(body, None), *(Block(text, kind="note") for text in seen if kind == "text")]
    title = next(archive.xml("meta.xml").iter(_DC_TITLE), None)
    return Extract(tuple(blocks), _TYPES[kind], title=None if title is None else title.text)


def _blocks(parent: Any, page: int | None) -> Iterator[Block]:
    """The paragraphs, items and rows below `parent`, in order; notes follow the paragraph that they are of."""
    number = 0
    for child in parent:
        match child.tag.rpartition("}")[2]:
            case "p" | "h":
                yield from _paragraph(child, page)
            case "list":
                items = [
                    text for item in child.iter(f"{_TEXT}p", f"{_TEXT}h") if (text := _words(item)).strip()
                ]
                yield from (Block(text, tight=i > 0, page=page) for i, text in enumerate(items))
            case "table":
                yield from table_blocks(_grid(child), header=_has_header(child), page=page)
            case "page" if child.tag.startswith(_DRAW):
                number += 1
                yield from _slide(child, number)
            case _ if child.tag not in _SKIPPED:
                yield from _blocks(child, page)


def _slide(slide: Any, number: int) -> Iterator[Block]:
    for child in slide:
        role = child.get(f"{_PRESENTATION}class", "")
        if child.tag == f"{_PRESENTATION}notes":
            texts = [_words(each) for each in child.iter(f"{_TEXT}p")]
            yield from (Block(text, kind="note", page=number) for text in texts)
        elif role == "title":
            yield Block(
                " ".join(_words(each) for each in child.iter(f"{_TEXT}p")), kind="heading", page=number
            )
        elif role not in {"page-number", "date-time", "footer", "header"}:
            yield from _blocks(child, number)


def _paragraph(element: Any, page: int | None) -> Iterator[Block]:
    heading = element.tag == f"{_TEXT}h"
    kind: SentenceKind = "heading" if heading else "body"
    level = int(element.get(f"{_TEXT}outline-level") or 1) if heading else 1
    yield Block(_words(element), kind=kind, level=max(level, 1), page=page)
    for note in element.iter(f"{_TEXT}note-body"):
        yield Block(" ".join(_words(each) for each in note.iter(f"{_TEXT}p")), kind="note", page=page)
    for box in element.iter(f"{_DRAW}text-box"):
        yield from _blocks(box, page)


def _words(element: Any) -> str:
    """The words of a paragraph without its notes, boxes and comments."""
    parts = [element.text or ""]
    for child in element:
        name = child.tag.rpartition("}")[2]
        if child.tag in _MARKS:
            parts.append(_MARKS[child.tag])
        elif child.tag == f"{_TEXT}s":
            parts.append(" " * min(int(child.get(f"{_TEXT}c") or 1), _MOST_REPEATED))
        elif name not in {"note", "text-box", "annotation", "note-body"} and child.tag not in _SKIPPED:
            parts.append(_words(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _has_header(table: Any) -> bool | None:
    return True if table.find(f"{_TABLE}table-header-rows") is not None else None


def _grid(table: Any) -> list[list[str]]:
    """The cells of a table; one that spans rows has its value in each."""
    grid: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}
    for row in table.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row:
            if cell.tag not in {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}:
                continue
            place = len(cells)
            text = " ".join(_words(each) for each in cell.iter(f"{_TEXT}p", f"{_TEXT}h"))
            spanned = int(cell.get(f"{_TABLE}number-rows-spanned") or 1)
            left, above = below.get(place, (0, ""))
            if cell.tag.endswith("covered-table-cell") and left:
                text = above
                below[place] = (left - 1, above)
            elif spanned > 1:
                below[place] = (spanned - 1, text)
            times = min(int(cell.get(f"{_TABLE}number-columns-repeated") or 1), _MOST_REPEATED)
            cells += [text] * times
        grid.append(cells)
    return grid
