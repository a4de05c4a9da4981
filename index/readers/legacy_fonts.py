"""Text whose letters only a certain font shows right, as before Unicode: recognised by its commonest words."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import lru_cache
from pathlib import Path

import regex

from index.normalise import normalise

_TABLE = Path(__file__).parent.parent / "data" / "legacy_fonts.toml"
# Of a text's words so many are among a font's commonest, and so many different ones. Chosen: in texts of their
# languages these words make up a fifth to a third; in others single ones stand by chance.
_SHARE = 0.06
_DIFFERENT = 4
# So many words tell.
_LOOKED_AT = 5000
_WORD = regex.compile(r"[^\s()\[\]\"“”,.:|]+(?:,(?=\s|$))?")


def legacy_font(text: str) -> str | None:
    """The name of the font that a text was written for; None for Unicode text."""
    words = Counter(word for word, _ in zip(_words(text), range(_LOOKED_AT), strict=False))
    total = words.total()
    for name, known in _fonts():
        found = known & words.keys()
        if len(found) >= _DIFFERENT and sum(words[word] for word in found) >= _SHARE * total:
            return name
    return None


def _words(text: str) -> list[str]:
    return list(map(str, _WORD.findall(text[: _LOOKED_AT * 20])))


@lru_cache(maxsize=1)
def _fonts() -> list[tuple[str, frozenset[str]]]:
    rows = tomllib.loads(_TABLE.read_text("utf-8"))["font"]
    return [(row["name"], frozenset(map(normalise, row["words"]))) for row in rows]
