"""E-books (EPUB): the chapters in the order of their spine, each read as the web page that it is."""

from __future__ import annotations

import posixpath
from typing import Any

from index.errors import ReadError, SkipReason
from index.readers.archive import Archive, joined, undamaged
from index.readers.blocks import Block, Extract
from index.readers.encoding import decode
from index.readers.html import read_page

_WHAT = "the e-book"
_MEDIA_TYPE = "application/epub+zip"
_PAGES = frozenset({"application/xhtml+xml", "text/html"})


def read_ebook(data: bytes, *, max_bytes: int) -> Extract:
    """The blocks of an EPUB file.

    Raises:
        ReadError: `too_large` when it unpacks to more than 4 times `max_bytes`, `encrypted` when its chapters are,
            `broken` when it is damaged.
    """
    archive = Archive(data, what=_WHAT, max_bytes=max_bytes)
    return undamaged(lambda: _read(archive), _WHAT)


def _read(archive: Archive) -> Extract:
    if "META-INF/rights.xml" in archive.names:
        raise ReadError(SkipReason.ENCRYPTED, f"{_WHAT} has copy protection; add a copy without it")
    container = archive.xml("META-INF/container.xml")
    package = str(next(_named(container, "rootfile")).get("full-path"))
    book = archive.xml(package)
    items = {item.get("id"): item for item in _named(book, "item")}
    blocks: list[Block] = []
    for reference in _named(book, "itemref"):
        item = items.get(reference.get("idref"))
        if (
            item is None
            or item.get("media-type") not in _PAGES
            or "nav" in (item.get("properties") or "").split()
        ):
            continue
        name = joined(posixpath.dirname(package), item.get("href", ""))
        if name in archive.names:
            blocks += read_page(decode(archive.part(name)))
    title = next((each.text for each in _named(book, "title") if each.text), None)
    return Extract(tuple(blocks), _MEDIA_TYPE, title=title)


def _named(tree: Any, name: str) -> Any:
    """The elements of a name, whatever their namespace."""
    return (each for each in tree.iter() if isinstance(each.tag, str) and each.tag.rpartition("}")[2] == name)
