"""Composed text (NFC) with the way back to the offsets of the text as it was given."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import accumulate

import regex

_PIECE = regex.compile(r"\P{M}?\p{M}*|.", regex.DOTALL)


def with_offsets(text: str) -> tuple[str, Callable[[int], int]]:
    """The text in NFC, and what gives for an offset in it the one in `text`.

    An offset inside letters that were composed gives where they begin.
    """
    if unicodedata.is_normalized("NFC", text):
        return text, lambda offset: offset
    pieces = [piece for piece in _PIECE.findall(text) if piece]
    composed = [unicodedata.normalize("NFC", piece) for piece in pieces]
    starts = list(accumulate(map(len, pieces), initial=0))
    back = [
        start + min(place, len(old))
        for start, old, new in zip(starts, pieces, composed, strict=False)
        for place in range(len(new))
    ]
    back.append(len(text))
    return "".join(composed), lambda offset: back[offset]
