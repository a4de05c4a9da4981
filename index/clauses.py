"""The words around each number of a sentence: what tells one number of several from the next."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TypeAlias

import regex

from index.language.lexicon import lexicon
from index.language.quantities import Quantity, find_quantities
from index.types import Clause, Document, Sentence

# Raise it when the same sentence would give other clauses; the index is then rebuilt.
CLAUSES_VERSION = 2

_SHORTEST = 12  # code points beside the number; fewer do not say what is counted

Pattern: TypeAlias = "regex.Pattern[str]"


def find_clauses(document: Document, sentences: Sequence[Sentence]) -> list[Clause]:
    """One clause for each number of each sentence, in reading order; codes and telephone numbers are left out."""
    clauses: list[Clause] = []
    for sentence in sentences:
        quantities = find_quantities(sentence.text, sentence.language)
        boundary = _boundary(sentence.language)
        for quantity in quantities:
            if quantity.names:
                continue
            start, end = _clause(sentence.text, quantity, quantities, boundary)
            start, end = sentence.start + start, sentence.start + end
            clauses.append(
                Clause(
                    id=f"{document.id}:n{sentence.start + quantity.start}",
                    document_id=document.id,
                    sentence=sentence.ordinal,
                    ordinal=len(clauses),
                    start=start,
                    end=end,
                    anchor=sentence.start + quantity.start,
                    text=document.text[start:end],
                    language=sentence.language,
                )
            )
    return clauses


def _clause(
    text: str, quantity: Quantity, quantities: Sequence[Quantity], boundary: Pattern
) -> tuple[int, int]:
    """From the boundary before the number to the one after it: punctuation, a joining word, the next number."""
    earlier = max((other.end for other in quantities if other.end <= quantity.start), default=0)
    later = min((other.start for other in quantities if other.start >= quantity.end), default=len(text))
    # A number stands before what it counts more often than after it: the gap up to the next one is its own.
    start = max([earlier, *(match.end() for match in boundary.finditer(text, earlier, quantity.start))])
    if start == earlier and earlier:
        start = quantity.start
    ends = [match.start() for match in boundary.finditer(text, quantity.end, later)]
    end = next((end for end in ends if end - quantity.end >= _SHORTEST), later)
    if end - quantity.end < _SHORTEST and quantity.start - start < _SHORTEST:
        start = earlier
    while start < quantity.start and text[start].isspace():
        start += 1
    while end > quantity.end and text[end - 1].isspace():
        end -= 1
    return start, end


@cache
def _boundary(language: str) -> Pattern:
    words = "|".join(regex.escape(word) for word in lexicon(language).join)
    return regex.compile(rf"[,;:()–—،、，；।.!?。]\s*|(?<=\s)(?:{words})\s", regex.IGNORECASE)
