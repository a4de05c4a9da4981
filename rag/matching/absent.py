"""Which of a question's names and numbers can be said to stand in no document.

That is said of all indexed documents, so it must be true of all: no word of the name stands anywhere, in any script,
and the documents would not call it otherwise. Measured by `python -m eval.studies.denials`: docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from index.language.exonyms import may_be_another_word, says_nothing_alone
from rag.matching.lexical import SHORTEST_STEM, Wanted
from rag.question import Question

# In how many passages of the index each ("words" or "keys", term) stands.
Frequencies = Callable[[Collection[tuple[str, str]]], Mapping[tuple[str, str], int]]


def absent(
    question: Question,
    asked: Wanted,
    *,
    held: Collection[int],
    digits: Collection[str],
    language: str,
    frequencies: Frequencies,
) -> tuple[str, ...]:
    """The names and numbers that stand nowhere, as the question writes them.

    Args:
        asked: the question's terms.
        held: positions of the question's words that the best document holds.
        digits: the numbers that it holds.
        language: the document's.
        frequencies: counts in the whole index.
    """
    names = [
        name
        for name in question.names
        if (positions := positions_of(name, asked))
        and not any(position in held for position in positions)
        and not (len(name) == 1 and says_nothing_alone(name[0], question.language))
        and (language == question.language or not may_be_another_word(name, question.language))
        and not _counted(_terms_of(positions, asked), frequencies)
    ]
    numbers = sorted(question.numbers.difference(digits))
    return (
        *(" ".join(name) for name in names),
        *(number for number in numbers if not _counted({("words", number)}, frequencies)),
    )


def positions_of(name: tuple[str, ...], asked: Wanted) -> range:
    """The positions of a name's words among the question's; none where they do not stand there together."""
    size = len(name)
    for start in range(len(asked.words) - size + 1):
        if asked.words[start : start + size] == name:
            return range(start, start + size)
    return range(0)


def _terms_of(positions: range, asked: Wanted) -> set[tuple[str, str]]:
    terms = [term for term in asked.terms if term.first in positions and term.last in positions]
    # "Amazonasskogen" is the forest of what a text calls "Amazonas".
    words = {
        ("words", form[:end])
        for term in terms
        for form in term.forms
        for end in range(min(SHORTEST_STEM, len(form)), len(form) + 1)
    }
    return words | {("keys", way.key) for term in terms for way in term.sounds}


def _counted(terms: Collection[tuple[str, str]], frequencies: Frequencies) -> bool:
    return any(frequencies(terms).values())
