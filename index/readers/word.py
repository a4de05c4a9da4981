"""Word documents (DOCX) by python-docx: paragraphs and tables in document order, by style."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import regex

from index.readers.archive import Archive, undamaged
from index.readers.blocks import Block, Extract
from index.readers.shape import is_page_number
from index.readers.tables import table_blocks
from index.types import SentenceKind

_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_WHAT = "the Word file"
# Automatic titles of word processors and templates say nothing.
_NO_TITLES = frozenset({"", "title", "untitled", "document", "word document", "powerpoint presentation"})
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# What is not text: properties, deletions of tracked changes, field codes; and the copy of a text box
# that is kept for older readers.
_SKIPPED = frozenset(
    {
        *(_W + name for name in ("pPr", "rPr", "del", "moveFrom", "instrText")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
# Content controls and tracked insertions around whole paragraphs.
_WRAPPERS = frozenset(_W + name for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo"))
_MARKS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
# python-docx counts style types from 1: paragraph styles.
_PARAGRAPH_STYLE = 1
_EDGE = regex.compile(r"word/(?:header|footer)\d*\.xml")
_WIDEST = 100  # columns that a merged cell may take: a file may say any number
# A chain of styles is as long as an author made it; a damaged file's may be a ring.
_LONGEST_CHAIN = 10


def read_word(data: bytes, *, max_bytes: int) -> Extract:
    """The blocks of a DOCX file; tracked insertions are text, deletions are not.

    Raises:
        ReadError: `too_large` when it unpacks to more than 4 times `max_bytes`, `broken` when it is damaged.
    """
    archive = Archive(data, what=_WHAT, max_bytes=max_bytes)
    return undamaged(lambda: _read(data, archive), _WHAT)


def _read(data: bytes, archive: Archive) -> Extract:
    # Imported here because it takes 0.2 s and is needed for Word files alone.
    import docx

    document = docx.Document(io.BytesIO(data))
    notes = _notes(archive)
    blocks = (*_blocks(document.element.body, document, notes), *_edges(archive))
    title = (document.core_properties.title or "").strip()
    if title.lower() in _NO_TITLES or title.lower().endswith((".doc", ".docx")):
        title = next((block.text for block in blocks if block.kind == "heading" and block.text.strip()), "")
    return Extract(blocks, _MEDIA_TYPE, title=title or None)


def _notes(archive: Archive) -> dict[str, str]:
    """The footnotes and endnotes: the tag of what refers to one, with its number, -> its words."""
    found = {}
    for part, name in (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")):
        for note in archive.xml(part).iter(_W + name):
            # Separators are notes, too.
            if note.get(_W + "type") in {None, "normal"}:
                found[f"{_W}{name}Reference {note.get(_W + 'id')}"] = " ".join(
                    filter(None, (_text(p).strip() for p in note.iter(_W + "p")))
                )
    return found


def _edges(archive: Archive) -> Iterator[Block]:
    """The headers and footers, each line once, after the text: on paper they stand beside all of it."""
    parts = sorted(name for name in archive.names if _EDGE.fullmatch(name))
    texts = (_text(p).strip() for name in parts for p in archive.xml(name).iter(_W + "p"))
    for text in dict.fromkeys(texts):
        if not is_page_number(text):
            yield Block(text, kind="note")


def _blocks(parent: Any, document: Any, notes: Mapping[str, str]) -> Iterator[Block]:
    """The paragraphs and table rows below `parent`, in order; a note follows what refers to it."""
    in_list = False
    for child in parent:
        if child.tag == _W + "p":
            listed = child.find(f"{_W}pPr/{_W}numPr") is not None
            yield Block(
                _text(child),
                kind=_kind(child, document),
                tight=listed and in_list,
                links=_links(child, document),
            )
            in_list = listed
        elif child.tag == _W + "tbl":
            yield from table_blocks(_grid(child), header=_has_header(child))
            in_list = False
        elif child.tag in _WRAPPERS:
            yield from _blocks(child, document, notes)
            continue
        for element in child.iter(_W + "footnoteReference", _W + "endnoteReference"):
            yield Block(notes.get(f"{element.tag} {element.get(_W + 'id')}", ""), kind="note")


def _has_header(table: Any) -> bool | None:
    """True where Word repeats the first row on every page; None where it does not say."""
    first = table.find(f"{_W}tr/{_W}trPr/{_W}tblHeader")
    return None if first is None else True


def _grid(table: Any) -> list[list[str]]:
    """The cells of a table by its grid; one that is merged with the one above has its value."""
    grid: list[list[str]] = []
    for row in table.iter(_W + "tr"):
        cells: list[str] = []
        for cell in row.iter(_W + "tc"):
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            below = merged is not None and merged.get(_W + "val") != "restart"
            above = grid[-1][len(cells)] if below and grid and len(cells) < len(grid[-1]) else ""
            span = cell.find(f"{_W}tcPr/{_W}gridSpan")
            width = 1 if span is None else min(int(span.get(_W + "val") or 1), _WIDEST)
            text = " ".join(_text(p) for p in cell.iter(_W + "p")).strip()
            cells += [text or above, *[""] * (width - 1)]
        grid.append(cells)
    return grid


def _text(paragraph: Any) -> str:
    """The words of a paragraph: runs, links, results of fields, insertions; not deletions."""
    parts: list[str] = []
    stack = [*reversed(paragraph)]
    while stack:
        element = stack.pop()
        if element.tag == _W + "t":
            parts.append(element.text or "")
        elif element.tag in _MARKS:
            parts.append(_MARKS[element.tag])
        elif element.tag not in _SKIPPED:
            # A text box inside a paragraph holds paragraphs of its own.
            parts.append("\n" if element.tag == _W + "p" else "")
            stack.extend(reversed(element))
    return "".join(parts)


def _links(paragraph: Any, document: Any) -> tuple[str, ...]:
    relations = document.part.rels
    ids = (link.get(_R_ID) for link in paragraph.iter(_W + "hyperlink"))
    return tuple(relations[key].target_ref for key in ids if key in relations)


def _kind(paragraph: Any, document: Any) -> SentenceKind:
    """By its style or one it is based on; Word stores built-in names in English in every language version."""
    style = document.styles.get_by_id(paragraph.style, _PARAGRAPH_STYLE)
    for _ in range(_LONGEST_CHAIN):
        if style is None:
            break
        name = (style.name or "").lower()
        if name.startswith("heading") or name in {"title", "subtitle"}:
            return "heading"
        if name == "caption":
            return "caption"
        style = style.base_style
    return "body"
