"""Codes and full dates: what tells one record from another that is the same in all else.

To an embedder "barn 7-1-5" and "barn 7-1-6" are nearly one, and so they are to a reader. A passage that states the
question's code or date gains; one that states another of the same form in its place loses as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex

from index.language.dates import Day
from index.language.quantities import find_quantities
from rag.answer import Hit
from rag.question import Question

# On the scale of a cosine, as a name of several words (`rag.matching.coverage`): neighbours differ by 0.01 to 0.02,
# measured by `python -m eval.studies.records`.
_WORTH = 0.1
_FIGURES, _LETTERS = regex.compile(r"\p{N}+"), regex.compile(r"[\p{L}\p{M}]+")


@dataclass(frozen=True, slots=True)
class Marks:
    """The codes of a text with their forms ("7-1-5" has the form "0-0-0"), and its dates with day, month and year."""

    codes: frozenset[tuple[str, str]]
    days: frozenset[Day]

    def __bool__(self) -> bool:
        return bool(self.codes or self.days)


def marks_in(text: str, language: str) -> Marks:
    """The codes and full dates that a text states."""
    codes: set[tuple[str, str]] = set()
    days: set[Day] = set()
    for quantity in find_quantities(text, language):
        if quantity.kind == "code":
            codes.add((quantity.code, _FIGURES.sub("0", _LETTERS.sub("a", quantity.text))))
        days.update(day for day in quantity.days if day.day and day.month and day.year)
    return Marks(frozenset(codes), frozenset(days))


def agreement(asked: Marks, stated: Marks) -> int:
    """1 where a text states what is asked about, -1 where it states another in the place of any of it, else 0."""
    missing = asked.codes - stated.codes
    forms = {form for _, form in stated.codes}
    another = any(form in forms for _, form in missing)
    if asked.days and stated.days:
        another = another or asked.days.isdisjoint(stated.days)
    if another:
        return -1
    return int(bool(asked.codes & stated.codes or asked.days & stated.days))


def about_the_marks(question: Question, hits: Sequence[Hit]) -> list[Hit]:
    """The hits in their new order, each with what it gains or loses for the question's codes and dates."""
    asked = marks_in(question.text, question.language)
    if not asked:
        return list(hits)
    found = []
    for hit in hits:
        stated = marks_in(f"{hit.title}\n{hit.chunk.text}", hit.chunk.language)
        worth = _WORTH * agreement(asked, stated)
        found.append(replace(hit, score=hit.score + worth, lexical=hit.lexical + worth))
    return sorted(found, key=lambda hit: -hit.score)
