"""What every reader makes of a file: its blocks of text in reading order, and how they become one text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from index.normalise import normalise
from index.types import SentenceKind, Span


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, caption, list item or table row.

    Args:
        text: its text as the file has it; line ends inside stay.
        kind: what it is.
        tight: it follows the block before without a blank line (items of a list, rows of a table).
        links: the targets of its links, in order, for a source line that hides its URL behind a name.
    """

    text: str
    kind: SentenceKind = "body"
    tight: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """A file as its reader understood it, before normalisation.

    Args:
        blocks: in reading order; blank ones are dropped later.
        media_type: the IANA name of the format.
        title: the one the file declares, None when it declares none.
        source_url: the address the file declares as its own, None when it declares none.
    """

    blocks: tuple[Block, ...]
    media_type: str
    title: str | None = None
    source_url: str | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """Normalised text, and the spans of it that are not body text."""

    text: str
    marked: tuple[Span, ...] = field(default=())


def compose(blocks: Iterable[Block]) -> Composed:
    """The blocks as one text: normalised, a blank line between blocks that are not `tight`.

    `normalise(result.text) == result.text`; spans are in order and do not overlap.
    """
    parts: list[str] = []
    marked: list[Span] = []
    length = 0
    for block in blocks:
        text = normalise(block.text).strip()
        if not text:
            continue
        if parts:
            parts.append("\n" if block.tight else "\n\n")
            length += len(parts[-1])
        if block.kind != "body":
            marked.append(Span(length, length + len(text), block.kind))
        parts.append(text)
        length += len(text)
    return Composed("".join(parts), tuple(marked))
