"""The short answer: the words that the reader points at, completed to what a person would say, where likely right.

A span may begin inside a word or name and end inside a number. It becomes the whole word, the whole number with its
bound, the whole date, the whole name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from index.language.quantities import Quantity, find_quantities
from index.language.terms import fold_digits, split_words
from rag import scoring
from rag.evidence import Evidence, Support
from rag.question import Question
from rag.reader.clauses import margin_in
from rag.reader.encode import SpanScore
from rag.reader.passages import Read
from rag.scoring import ShortFeatures
from rag.shape import Shape, shape_of

# More words are no short answer; chosen.
LONGEST = 12
# Shown from this probability on. Chosen low, 0.2 and then 0.15, by what remains to be shown across languages: at 0.5
# the gold set's right short answers fall from 0.54 to 0.22. Of what is shown a good part is therefore wrong.
SURE = 0.15
# Of 20 made-up sentences with several numbers, asked about in other languages, the one at which the reader points most
# surely is meant in 14 of 15 where it is so far ahead of the next in log odds, and in 1 of 5 where it is not; the share
# is that with one more on either side.
_CLOSE, _RIGHT_WHEN_CLOSE = 2.0, 2 / 7
# Forms of answers that are sentences and not a few words of them.
_WHOLE: frozenset[Shape] = frozenset({"reason", "yes_no", "comparison"})
_EDGES = " \t\n.,;:!?()[]{}\"'“”‘’«»।॥-–—•*"
_INSIDE_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\p{Cf}]")
# Scripts that do not part words: there every place is a boundary.
_UNPARTED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_NAME_BEFORE = regex.compile(r"(?:\p{Lu}[\p{L}\p{M}.'’-]*\s)+$")
_NAME_AFTER = regex.compile(r"(?:\s\p{Lu}[\p{L}\p{M}'’-]*)+")


@dataclass(frozen=True, slots=True)
class ShortAnswer:
    """A few words, digits as ASCII, and the probability that they are right where the question is answered."""

    text: str
    probability: float


def short_answer(evidence: Evidence) -> ShortAnswer | None:
    """The short answer of the first sentence; None where none is likely enough to be right."""
    found = candidate(evidence)
    if found is None:
        return None
    text, features = found
    probability = scoring.short(features, evidence.question.language)
    if probability < SURE:
        return None
    if evidence.clauses:
        probability *= _among_its_like(evidence.question, evidence.supports[0], evidence.clauses, text)
    return ShortAnswer(text, probability)


def candidate(evidence: Evidence) -> tuple[str, ShortFeatures] | None:
    """What would be the short answer, and what says how likely it is right; None where nothing short was asked for."""
    question = evidence.question
    if not evidence.supports or shape_of(question) in _WHOLE:
        return None
    support = evidence.supports[0]
    if support.span is None:
        return None
    text, quantities = completed(question, support, support.span, clauses=evidence.clauses)
    words = len(split_words(text))
    if not 0 < words <= LONGEST:
        return None
    asked, held = question.wants_number or question.wants_date, fits(question, quantities)
    features = ShortFeatures(
        margin=support.span.margin,
        share=support.span.share,
        words=float(words),
        figure=float(asked and held),
        misses=float(asked and not held),
    )
    return text, features


def completed(
    question: Question, support: Support, span: SpanScore, *, clauses: Sequence[Read] = ()
) -> tuple[str, list[Quantity]]:
    """The words of a span as a short answer to a question, and the numbers and dates in them.

    Of one number of the kind asked for its own short form is said ("540+", "24 days"), and so where a span is nothing
    but a number. Where the numbers of the sentence were read apart, in `clauses`, that one counts at which the reader
    points most surely.
    """
    text, language = support.sentence.text, support.sentence.language
    start, end = _whole_words(text, span.start, span.end)
    quantities = [q for q in find_quantities(text, language) if q.start < end and start < q.end]
    start = min([start, *(q.start for q in quantities)])
    end = max([end, *(q.end for q in quantities)])
    if not quantities:
        start, end = _whole_name(text, start, end)
    asked = question.wants_number or question.wants_date
    # Who asks "what does it cost?" asks for a number in other words, where the reader points at nothing else.
    alone = bool(quantities) and _is_all(text, start, end, quantities)
    if clauses and (asked or alone):
        likes = quantities[:1] if alone and not asked else []
        quantities = _likeliest(question, support, clauses, likes) or quantities
    fitting = [quantity for quantity in quantities if fits(question, [quantity]) and not quantity.names]
    if len(fitting) == 1 and (asked or alone):
        return fitting[0].short, quantities
    return fold_digits(" ".join(text[start:end].split())).strip(_EDGES), quantities


def place_of(short: str, text: str, language: str) -> tuple[int, int] | None:
    """Where a short answer stands in the sentence that it was made of, code points; None where it is not found."""
    # A number is never a part of a larger one.
    found = regex.search(rf"(?<!\d[.,]?(?=\d)){regex.escape(short)}(?!(?<=\d)[.,]?\d)", fold_digits(text))
    if found:
        return found.start(), found.end()
    same = [quantity for quantity in find_quantities(text, language) if quantity.short == short]
    return (same[0].start, same[0].end) if same else None


def _likeliest(
    question: Question, support: Support, clauses: Sequence[Read], likes: Sequence[Quantity]
) -> list[Quantity]:
    """Of the numbers and dates of a sentence that fit, and that the question does not give, the likeliest.

    `likes`: only those of the same kind count; empty: any.
    """
    found = _with_margins(question, support, clauses, likes)
    return [max(found, key=lambda pair: pair[0])[1]] if found else []


def _with_margins(
    question: Question, support: Support, clauses: Sequence[Read], likes: Sequence[Quantity]
) -> list[tuple[float, Quantity]]:
    """The numbers and dates that `_likeliest` chooses among, each behind how surely the reader points at it."""
    sentence = support.sentence
    return [
        (margin, quantity)
        for quantity in find_quantities(sentence.text, sentence.language)
        if fits(question, [quantity])
        and not quantity.names
        and all(quantity.kind == other.kind for other in likes)
        and quantity.numbers.isdisjoint(question.numbers)
        and (margin := margin_in(clauses, sentence, quantity.start, quantity.end)) is not None
    ]


def _among_its_like(question: Question, support: Support, clauses: Sequence[Read], short: str) -> float:
    """The probability that a short answer is the number meant, if one of its kind is: a softmax of margins.

    1 for a short answer that is none of the numbers, or the only one of its kind.
    """
    found = _with_margins(question, support, clauses, [])
    chosen = next((pair for pair in found if pair[1].short == short), None)
    if chosen is None:
        return 1.0
    ahead = [
        chosen[0] - margin for margin, each in found if each.kind == chosen[1].kind and each is not chosen[1]
    ]
    if ahead and min(ahead) < _CLOSE:
        return _RIGHT_WHEN_CLOSE
    return 1.0 / (1.0 + sum(math.exp(-lead) for lead in ahead))


def _is_all(text: str, start: int, end: int, quantities: list[Quantity]) -> bool:
    """Whether a span is one number, with its unit or with a classifier glued to it."""
    first, *others = quantities
    behind = text[first.end : end]
    glued = not behind[:1].isspace() and len(split_words(behind)) <= 1
    return (
        not others
        and not split_words(text[start : first.start])
        and (glued or behind.strip(_EDGES) == first.unit)
    )


def of_one_number(question: Question, support: Support) -> str | None:
    """The number of a sentence that holds just one of the kind asked for: what similarity alone can tell."""
    if not (question.wants_number or question.wants_date):
        return None
    fitting = [
        q
        for q in find_quantities(support.sentence.text, support.sentence.language)
        if fits(question, [q]) and q.numbers.isdisjoint(question.numbers)
    ]
    return fitting[0].short if len(fitting) == 1 else None


def fits(question: Question, quantities: list[Quantity]) -> bool:
    """Whether a number or date that is asked for is among some numbers; True where none is asked for."""
    if question.wants_date:
        return any(quantity.tells_when for quantity in quantities)
    if question.wants_number:
        return any(not quantity.names and not quantity.tells_when for quantity in quantities)
    return True


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    while start > 0 and _joined(text, start):
        start -= 1
    while end < len(text) and _joined(text, end):
        end += 1
    return start, end


def _joined(text: str, place: int) -> bool:
    """Whether the characters on both sides of a place belong to one word."""
    before, after = text[place - 1], text[place]
    if not (_INSIDE_WORD.match(before) and _INSIDE_WORD.match(after)):
        return False
    return not (_UNPARTED.match(before) and _UNPARTED.match(after))


def _whole_name(text: str, start: int, end: int) -> tuple[int, int]:
    """A span that begins or ends with a name, with all words of the name; as it is in scripts without capitals."""
    words = text[start:end].split()
    if not words or not words[0][:1].isupper() or not words[-1][:1].isupper():
        return start, end
    before = _NAME_BEFORE.search(text, 0, start)
    # The first word of a sentence has a capital anyway.
    start = before.start() if before and before.start() > 0 else start
    after = _NAME_AFTER.match(text, end)
    return start, after.end() if after else end
