"""Plain text: as it stands, but for hard line ends and a headline on its first line."""

from __future__ import annotations

from index.normalise import normalise
from index.readers.blocks import Block, Extract
from index.readers.shape import could_be_heading, stands_over
from index.readers.wrapped import unwrap


def read_plain(text: str) -> Extract:
    """The blocks of a text file; lines that a page width cut are whole again. Its first line is a heading
    when it looks like one and text follows."""
    text = unwrap(normalise(text).strip())
    lines = text.split("\n")
    if len(lines) > 1 and _is_headline(lines):
        body = "\n".join(lines[1:])
        # The line end between the two stays as the file has it: no blank line is added.
        blocks = [Block(lines[0], kind="heading"), Block(body, tight=bool(lines[1].strip()))]
    else:
        blocks = [Block(text)]
    return Extract(tuple(blocks), "text/plain")


def _is_headline(lines: list[str]) -> bool:
    first, second = lines[0].strip(), lines[1].strip()
    if not could_be_heading(first):
        return False
    return not second or stands_over(first, second)
