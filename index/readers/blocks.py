"""What every reader makes of a file: its blocks of text in reading order, and how they become one text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from index.normalise import normalise, normalise_line
from index.readers.shape import shorten
from index.types import SentenceKind, Span

LONGEST_SECTION = 100
"""Code points of the name of a section: it fits on one line of a screen."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, caption, list item or table row.

    Args:
        text: its text as the file has it; line ends inside stay.
        kind: what it is.
        tight: it follows the block before without a blank line (items of a list, rows of a table).
        level: of a heading, 1 the highest; 0 names a part, such as a sheet, and is never the title.
        page: of the file where it begins, from 1; None where the file has no pages.
        turns: where in `text` a later page begins: (code point, page), in order.
        links: the targets of its links, in order, for a source line that hides its URL behind a name.
        recognised: it was read off a picture.
    """

    text: str
    kind: SentenceKind = "body"
    tight: bool = False
    links: tuple[str, ...] = ()
    level: int = 1
    page: int | None = None
    turns: tuple[tuple[int, int], ...] = ()
    recognised: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """A file as its reader understood it, before normalisation.

    Args:
        blocks: in reading order; blank ones are dropped later.
        media_type: the IANA name of the format.
        title: the one the file declares, None when it declares none.
        source_url: the address the file declares as its own, None when it declares none.
        notice: what of the file is not among them and why, one sentence; "" when all is.
    """

    blocks: tuple[Block, ...]
    media_type: str
    title: str | None = None
    source_url: str | None = None
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """Normalised text, the spans of it that are not body text, and where what follows stands.

    `seams` are the offsets at which a page or a section begins, in order, each with both.
    """

    text: str
    marked: tuple[Span, ...] = field(default=())
    seams: tuple[Seam, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Seam:
    """From `start` on the text stands on `page` under the heading `section`, and was read off a picture or not."""

    start: int
    page: int | None
    section: str | None
    recognised: bool = False


def compose(blocks: Iterable[Block]) -> Composed:
    """The blocks as one text: normalised, a blank line between blocks that are not `tight`.

    `normalise(result.text) == result.text`; spans are in order and do not overlap.
    """
    parts: list[str] = []
    marked: list[Span] = []
    seams: list[Seam] = []
    section: str | None = None
    length = 0
    for block in blocks:
        text = normalise(block.text).strip()
        if not text:
            continue
        if parts:
            parts.append("\n" if block.tight else "\n\n")
            length += len(parts[-1])
        if block.kind == "heading":
            section = shorten(normalise_line(text), LONGEST_SECTION)
        if block.kind != "body":
            marked.append(Span(length, length + len(text), block.kind))
        for start, page in ((0, block.page), *block.turns):
            seam = Seam(length + min(start, len(text)), page, section, block.recognised)
            if not seams or replace(seams[-1], start=seam.start) != seam:
                seams.append(seam)
        parts.append(text)
        length += len(text)
    return Composed("".join(parts), tuple(marked), tuple(seams))
