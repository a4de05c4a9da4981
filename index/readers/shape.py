"""What the shape of a line tells: whether a sentence ends there, whether it is an item of a list, a
heading."""

from __future__ import annotations

import regex

from index.language.page_numbers import page_number

_CLOSERS = regex.compile(r"[\p{Pe}\p{Pf}\p{Pi}\"'’*_/\s]+$")
# Sentence ends of every script, and the marks after which a line leads on to the next.
_SENTENCE_END = regex.compile(r"\p{STerm}$")
_LEADS_ON = regex.compile(r"[:：;；,，、،…]$")
_LIST_ITEM = regex.compile(r"^\s*(?:[-–—*+•‣◦▪●○■□✓➢>#|]|\p{N}+[.)、:]|\p{L}[.)]\s)")
# Brackets and quotes that close a line are fewer than this.
_TAIL = 50
# A headline; longer unfinished lines are text that lost its full stop.
_LONGEST_HEADING = 150
# The paragraph under a heading or caption is a whole one: at least this long, and this many times as long as
# the line over it. In text with hard line ends the lines are alike in length, so that none passes for a
# heading there.
_SHORTEST_PARAGRAPH = 60
_PARAGRAPH_OVER_LINE = 1.4
_LONGEST_PAGE_NUMBER = 40
_ELLIPSIS = "…"
_GRAPHEME = regex.compile(r"\X")


def ends_sentence(line: str) -> bool:
    """True when the line closes with a sentence end of any script, brackets and quotes aside."""
    return _SENTENCE_END.search(_bare(line)) is not None


def _bare(line: str) -> str:
    """The end of a line without closing brackets and quotes; long lines are looked at from their end only."""
    return str(_CLOSERS.sub("", line.rstrip()[-_TAIL:]))


def is_unfinished(line: str) -> bool:
    """True for a line that neither ends a sentence nor leads on to the next one, and is no list item."""
    bare = _bare(line)
    return bool(bare) and not (_SENTENCE_END.search(bare) or _LEADS_ON.search(bare) or _LIST_ITEM.match(line))


def is_list_item(line: str) -> bool:
    """True for a line that opens with a bullet, a number or a letter as lists do."""
    return _LIST_ITEM.match(line) is not None


def is_page_number(line: str) -> bool:
    """True for a line that numbers its page and says no more."""
    return len(line) <= _LONGEST_PAGE_NUMBER and page_number().match(line) is not None


def stands_over(line: str, below: str) -> bool:
    """True when `line` is a heading or caption by its shape and `below` the whole paragraph it belongs to."""
    enough = max(_SHORTEST_PARAGRAPH, _PARAGRAPH_OVER_LINE * len(line))
    return is_unfinished(line) and len(below) >= enough and ends_sentence(below)


def could_be_heading(line: str) -> bool:
    """True for a line short and unfinished enough to be a headline."""
    return len(line) <= _LONGEST_HEADING and is_unfinished(line)


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` code points, cut between words with an ellipsis, never inside a grapheme
    cluster."""
    if len(text) <= limit:
        return text
    room = limit - len(_ELLIPSIS)
    words = text[: room + 1].rsplit(" ", 1)
    # A text without spaces near the cut (Thai, Chinese, one long word) is cut between clusters instead.
    if len(words) == 2 and len(words[0]) * 2 >= room:
        return words[0].rstrip(" ,;:،、，–—-(") + _ELLIPSIS
    kept = ""
    for cluster in _GRAPHEME.findall(text[: limit * 2]):
        if len(kept) + len(cluster) > room:
            break
        kept += cluster
    return kept.rstrip() + _ELLIPSIS
