"""A foreign text as one short line."""

from __future__ import annotations

import regex

# What would move the rest of the line about or break it: controls, surrogates, bidirectional overrides, line ends.
_UNSHOWN = regex.compile(r"[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u2028\u2029]+")
_CLUSTERS = regex.compile(r"\X")
_CUT = "…"


def excerpt(text: str, *, length: int) -> str:
    """A text on one line, without control characters and bidirectional overrides, at most `length` code points.

    What is longer ends in "…", cut between characters as a reader sees them (grapheme clusters).
    """
    line = " ".join(_UNSHOWN.sub(" ", text).split())
    if len(line) <= length:
        return line
    kept = ""
    for cluster in _CLUSTERS.findall(line):
        if len(kept) + len(cluster) + len(_CUT) > length:
            break
        kept += cluster
    return kept.rstrip() + _CUT
