"""Rich Text (RTF) by striprtf."""

from __future__ import annotations

import regex

from index.readers.archive import undamaged
from index.readers.blocks import Block, Extract
from index.readers.tables import table_blocks

_WHAT = "the Rich Text file"
_MEDIA_TYPE = "application/rtf"
_TITLE = regex.compile(r"\{\\title ([^{}\\]{1,300})\}")


def read_richtext(data: bytes) -> Extract:
    """The paragraphs and table rows of an RTF file.

    Raises:
        ReadError: `broken` when it is damaged.
    """
    return undamaged(lambda: _read(data), _WHAT)


def _read(data: bytes) -> Extract:
    # Imported here because it is needed for RTF alone.
    from striprtf.striprtf import rtf_to_text

    # RTF is ASCII; what else stands in it is of the code page that it declares.
    markup = data.decode("latin-1")
    title = _TITLE.search(markup)
    blocks: list[Block] = []
    table: list[list[str]] = []
    text = str(rtf_to_text(markup, errors="replace"))  # type: ignore[no-untyped-call]
    for line in text.split("\n"):
        if line.endswith("|") and "|" in line:
            table.append([cell.strip() for cell in line[:-1].split("|")])
            continue
        blocks += [*table_blocks(table), Block(line)]
        table = []
    blocks += table_blocks(table)
    return Extract(tuple(blocks), _MEDIA_TYPE, title=title[1].strip() if title else None)
