"""A comparison of two documents: what each says to the same question, and which number is the larger.

The sides are the two best documents that the question's own words tell apart by their titles ("Compare the fee in Hue
and Hanoi"). Each is asked the question without the words of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from index.language.lexicon import lexicon
from index.language.quantities import Quantity, find_quantities
from index.language.terms import fold, split_words
from rag.answer import Answer
from rag.fragments import MARKS
from rag.matching.query import Query
from rag.named import Named, without
from rag.notices import notices_in
from rag.question import Question

# Fewer words without those of the other side are no question. Chosen.
_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: the words of the question that name it.
        text: the question about it alone.
        documents: where its answer is looked for.
    """

    name: str
    text: str
    documents: tuple[str, ...]


def sides_of(question: Question, query: Query, named: Named) -> tuple[Side, ...]:
    """The two sides of a comparison in the question's order; () where its words do not tell two documents apart.

    Args:
        question: one whose shape is a comparison.
        query: of that question.
        named: knows the documents' titles.
    """
    found: list[tuple[frozenset[str], set[int]]] = named.in_titles(query)
    pairs = (
        (one, other)
        for place, one in enumerate(found)
        for other in found[place + 1 :]
        if one[1] - other[1] and other[1] - one[1]
    )
    pair = next(pairs, None)
    if pair is None:
        return ()
    (ones, mine), (others, theirs) = pair
    both = [(ones, mine - theirs, theirs - mine), (others, theirs - mine, mine - theirs)]
    words = split_words(question.text)
    return tuple(
        Side(" ".join(words[i] for i in sorted(own)), _about(question, foreign), tuple(sorted(documents)))
        for documents, own, foreign in sorted(both, key=lambda side: min(side[1]))
    )


def _about(question: Question, foreign: set[int]) -> str:
    """A question without some words, what joins them to others, and the words that only ask to compare."""
    table = lexicon(question.language)
    joining = {
        fold(word) for word in (*table.shape.get("joining", ()), *table.conversation.get("opening", ()))
    }
    plain = [fold(word) for word in split_words(question.text)]
    gone = set(foreign)
    for position in sorted(foreign):
        gone |= {
            beside
            for beside in (position - 1, position + 1)
            if plain[beside : beside + 1] and plain[beside] in joining
        }
    text = without(question.text, gone)
    phrases = sorted(map(regex.escape, table.shape.get("comparison", ())), key=len, reverse=True)
    bare = regex.sub(rf"(?i)(?<![\p{{L}}\p{{M}}])(?:{'|'.join(phrases)})(?![\p{{L}}\p{{M}}])", " ", text)
    bare = " ".join(bare.split()).strip(MARKS)
    return f"{bare if len(split_words(bare)) >= _SHORTEST else text.strip(MARKS)}?"


def compared(sides: Sequence[Side], answers: Sequence[Answer], language: str) -> str | None:
    """Which of two sides is the larger, in words; None where they are not one number each, counted in the same."""
    numbers = [_number(answer) for answer in answers]
    if len(numbers) != 2 or any(number is None for number in numbers):
        return None
    (one, first), (other, second) = zip(numbers, sides, strict=True)
    if one is None or other is None or fold(one.unit) != fold(other.unit) or one.kind != other.kind:
        return None
    if one.value is None or other.value is None:
        return None
    notices = notices_in(language)
    if one.value == other.value:
        return notices["compared_equal"].format(value=one.short)
    (more, larger), (less, smaller) = sorted(
        ((one, first), (other, second)), key=lambda each: -(each[0].value or 0.0)
    )
    return notices["compared"].format(
        more=more.short, larger=larger.name, less=less.short, smaller=smaller.name
    )


def _number(answer: Answer) -> Quantity | None:
    """The one number that a short answer is, without a bound; None where it is anything else."""
    if answer.refused or answer.short_answer is None or not answer.citations:
        return None
    found = find_quantities(answer.short_answer, answer.citations[0].language)
    return found[0] if len(found) == 1 and found[0].value is not None and not found[0].bound else None
