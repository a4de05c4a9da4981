"""Lists in a passage: the lines that stand one below the other around a sentence."""

from __future__ import annotations

import regex

from index.readers.shape import ends_sentence, is_list_item

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
    below = list(_LINE.finditer(text, block.start(), block.end()))
    lines = [(line.start(), line.end()) for line in below if not line.group().rstrip().endswith(_INTRODUCES)]
    introduced = len(lines) < len(below) or text[: block.start()].rstrip().endswith(_INTRODUCES)
    is_list = 1 < len(lines) <= _MOST_LINES and all(last - first <= _LONGEST_LINE for first, last in lines)
    # Sentences on lines of their own are a text, unless something says that they are items.
    sentences = [text[a:b] for a, b in lines if ends_sentence(text[a:b]) and not is_list_item(text[a:b])]
    return lines if is_list and (introduced or 2 * len(sentences) < len(lines)) else []
