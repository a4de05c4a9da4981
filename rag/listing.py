"""Lists in a passage: the lines that stand one below the other around a sentence."""

from __future__ import annotations

import regex

# More lines are a table or a poem, longer ones a text. Chosen.
_MOST_LINES, _LONGEST_LINE = 40, 240
_INTRODUCES = (":", "：")
_BLOCK = regex.compile(r"[^\n]+(?:\n[^\n]+)*")
_LINE = regex.compile(r"[^\n]+")


def list_around(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The lines of the list that a sentence stands in or leads to ("...:").

    Args:
        text: a passage; empty lines part its paragraphs.
        start, end: the sentence, code points of `text`.

    Returns:
        Start and end of each line in reading order, the one that introduces them left out; [] where there is no list.
    """
    blocks = list(_BLOCK.finditer(text))
    here = next((place for place, block in enumerate(blocks) if block.start() <= start < block.end()), None)
    if here is None:
        return []
    leads_on = text[start:end].rstrip().endswith(_INTRODUCES) and blocks[here].end() <= end + 1
    if leads_on and here + 1 < len(blocks) and "\n" not in blocks[here].group():
        here += 1
    block = blocks[here]
    lines = [
        (line.start(), line.end())
        for line in _LINE.finditer(text, block.start(), block.end())
        if not line.group().rstrip().endswith(_INTRODUCES)
    ]
    is_list = 1 < len(lines) <= _MOST_LINES and all(last - first <= _LONGEST_LINE for first, last in lines)
    return lines if is_list else []
