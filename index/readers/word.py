"""Word documents (DOCX) by python-docx: paragraphs and tables in document order, by style."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from index.readers.archive import Archive, undamaged
from index.readers.blocks import Block, Extract
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
# A chain of styles is as long as an author made it; a damaged file's may be a ring.
_LONGEST_CHAIN = 10


def read_word(data: bytes, *, max_bytes: int) -> Extract:
    """The blocks of a DOCX file; tracked insertions are text, deletions are not.

    Raises:
        ReadError: `too_large` when it unpacks to more than 4 times `max_bytes`, `broken` when it is damaged.
    """
    Archive(data, what=_WHAT, max_bytes=max_bytes)
    return undamaged(lambda: _read(data), _WHAT)


def _read(data: bytes) -> Extract:
    # Imported here because it takes 0.2 s and is needed for Word files alone.
    import docx

    document = docx.Document(io.BytesIO(data))
    blocks = tuple(_blocks(document.element.body, document))
    title = (document.core_properties.title or "").strip()
    if title.lower() in _NO_TITLES or title.lower().endswith((".doc", ".docx")):
        title = next((block.text for block in blocks if block.kind == "heading" and block.text.strip()), "")
    return Extract(blocks, _MEDIA_TYPE, title=title or None)


def _blocks(parent: Any, document: Any) -> Iterator[Block]:
    """The paragraphs and table rows below `parent`, in order."""
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
            yield from _rows(child)
            in_list = False
        elif child.tag in _WRAPPERS:
            yield from _blocks(child, document)


def _rows(table: Any) -> Iterator[Block]:
    for i, row in enumerate(table.iter(_W + "tr")):
        cells = [" ".join(_text(p) for p in cell.iter(_W + "p")).strip() for cell in row.iter(_W + "tc")]
        # A cell merged with the one above is empty here.
        yield Block(" | ".join(cell for cell in cells if cell), tight=i > 0)


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
