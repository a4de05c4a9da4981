"""Presentations (PPTX): the text of each slide in reading order, its tables, its speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from index.readers.archive import Archive, undamaged
from index.readers.blocks import Block, Extract
from index.readers.tables import table_blocks
from index.types import SentenceKind

_WHAT = "the presentation"
_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_TITLES = frozenset({"title", "ctrTitle"})
# What repeats on every slide and says nothing of it.
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
_NO_TITLES = frozenset({"", "powerpoint presentation", "presentation", "slide 1", "title", "untitled"})


def read_slides(data: bytes, *, max_bytes: int) -> Extract:
    """The blocks of a PPTX file; hidden slides are left out.

    Raises:
        ReadError: `too_large` when it unpacks to more than 4 times `max_bytes`, `broken` when it is damaged.
    """
    archive = Archive(data, what=_WHAT, max_bytes=max_bytes)
    return undamaged(lambda: _read(archive), _WHAT)


def _read(archive: Archive) -> Extract:
    main = "ppt/presentation.xml"
    targets = archive.relations(main)
    blocks: list[Block] = []
    for number, entry in enumerate(archive.xml(main).iter(f"{_P}sldId"), 1):
        name = targets[entry.get(_R_ID)]
        slide = archive.xml(name)
        if slide.get("show") != "0":
            blocks += _slide(slide, number)
            notes = (target for target in archive.relations(name).values() if "/notesSlides/" in target)
            blocks += (block for target in notes for block in _notes(archive.xml(target), number))
    title = archive.xml("docProps/core.xml").findtext(_DC_TITLE) or ""
    return Extract(tuple(blocks), _MEDIA_TYPE, title=None if title.strip().lower() in _NO_TITLES else title)


def _slide(slide: Any, number: int) -> Iterator[Block]:
    shapes = [shape for shape in slide.iter(f"{_P}sp", f"{_P}graphicFrame") if _role(shape) not in _FURNITURE]
    # The title comes first, wherever it was drawn.
    for shape in sorted(shapes, key=lambda each: _role(each) not in _TITLES):
        if shape.tag == f"{_P}sp":
            yield from _paragraphs(shape, number, "heading" if _role(shape) in _TITLES else "body")
        for table in shape.iter(f"{_A}tbl"):
            marked = table.find(f"{_A}tblPr")
            header = marked is not None and marked.get("firstRow") == "1"
            yield from table_blocks(_grid(table), header=header or None, page=number)


def _notes(notes: Any, number: int) -> Iterator[Block]:
    for shape in notes.iter(f"{_P}sp"):
        if _role(shape) not in _FURNITURE:
            yield from _paragraphs(shape, number, "note")


def _role(shape: Any) -> str:
    placeholder = next(shape.iter(f"{_P}ph"), None)
    return "" if placeholder is None else str(placeholder.get("type", ""))


def _paragraphs(shape: Any, number: int, kind: SentenceKind) -> Iterator[Block]:
    body = shape.find(f"{_P}txBody")
    paragraphs = [] if body is None else [_text(each) for each in body.iter(f"{_A}p")]
    if kind == "heading":
        yield Block(" ".join(paragraphs), kind=kind, page=number)
        return
    for i, text in enumerate(paragraphs):
        yield Block(text, kind=kind, tight=i > 0, page=number)


def _text(paragraph: Any) -> str:
    return "".join(
        "\n" if each.tag == f"{_A}br" else each.text or "" for each in paragraph.iter(f"{_A}t", f"{_A}br")
    )


def _grid(table: Any) -> list[list[str]]:
    """The cells of a table; one that is merged with the one above has its value."""
    grid: list[list[str]] = []
    for row in table.iter(f"{_A}tr"):
        cells = []
        for place, cell in enumerate(row.iter(f"{_A}tc")):
            above = grid[-1][place] if grid and place < len(grid[-1]) else ""
            merged = cell.get("vMerge") in {"1", "true"}
            cells.append(above if merged else " ".join(_text(each) for each in cell.iter(f"{_A}p")))
        grid.append(cells)
    return grid
