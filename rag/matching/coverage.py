"""What a document holds of a question: its names, its numbers, its words, and what it lacks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from index.catalogue import CatalogueReader
from index.language.quantities import numbers_held
from rag.answer import Hit
from rag.matching.absent import positions_of
from rag.matching.lexical import Wanted
from rag.matching.matcher import Matcher
from rag.question import Question

# Sentences of a document that are looked at for names. Chosen: a long document shows them early.
_LOOKED_AT = 120
# What a document that holds the question's names and numbers gains over one that does not, as a cosine. A name of
# several words that is there in full is hardly there by chance. Measured: in a pool of XQuAD articles in seven
# languages any weight for it up to 0.12 cost nothing (first passage across languages 0.685 of 314, 0.688 without),
# where 0.04 for single words cost 1.6 points.
_HOLDS_FULL_NAMES, _HOLDS_WORDS, _HOLDS_NUMBERS = 0.1, 0.02, 0.04
# A name is held when more than this part of its words is. Chosen: one of two may stand there by chance, as a short word
# that sounds alike or as part of another place's name.
_HELD = 0.5


class Openings:
    """What the first sentences of documents hold of one question; each document is read once."""

    def __init__(self, question: Question, asked: Wanted, reader: CatalogueReader) -> None:
        self.asked = asked
        self.matcher = Matcher(asked)
        self._question = question
        self.reader = reader
        self._texts: dict[str, list[tuple[str, str]]] = {}
        self._held: dict[str, set[int]] = {}
        self._numbers: dict[str, set[str]] = {}

    def load(self, document_ids: Iterable[str]) -> None:
        """Read documents that will be asked about, together."""
        missing = [key for key in dict.fromkeys(document_ids) if key not in self._texts]
        if missing:
            found = self.reader.openings(missing, sentences=_LOOKED_AT)
            self._texts.update((key, found.get(key, [])) for key in missing)

    def held(self, document_id: str) -> set[int]:
        """The positions of the question's words that any of a document's first sentences holds."""
        if document_id not in self._held:
            self.load([document_id])
            by_language: dict[str, list[str]] = {}
            for text, language in self._texts[document_id]:
                by_language.setdefault(language, []).append(text)
            found = [self.matcher.positions(texts, language) for language, texts in by_language.items()]
            self._held[document_id] = set().union(*found)
        return self._held[document_id]

    def numbers(self, document_id: str) -> set[str]:
        """The numbers in a document's first sentences; none when the question has none."""
        if document_id not in self._numbers:
            self.load([document_id])
            self._numbers[document_id] = self.numbers_of(self._texts[document_id])
        return self._numbers[document_id]

    def numbers_of(self, texts: Iterable[tuple[str, str]]) -> set[str]:
        """The numbers in texts with their languages; none when the question has none."""
        return set().union(*(numbers_held(*each) for each in texts)) if self._question.numbers else set()


def about_the_names(question: Question, hits: Sequence[Hit], openings: Openings, *, top_k: int) -> list[Hit]:
    """The best `top_k` hits with a bonus for holding the question's names and numbers, in their new order.

    The first sentences of a document are looked at only where they may decide: its passage lacks some of these, and
    with all of them it would be among the best.
    """
    if not (question.names or question.numbers):
        return list(hits[:top_k])
    firsts: dict[str, Hit] = {}
    for hit in hits:
        firsts.setdefault(hit.chunk.document_id, hit)
    bonus = {key: _bonus(question, stated_by(question, openings, hit)) for key, hit in firsts.items()}
    most = _bonus(
        question, _coverage(question, openings.asked, range(len(openings.asked.words)), question.numbers)
    )
    certain = sorted((hit.score + bonus[hit.chunk.document_id] for hit in hits), reverse=True)
    needed = certain[min(top_k, len(certain)) - 1]
    open_still = {
        key for hit in hits if bonus[key := hit.chunk.document_id] < most and hit.score + most >= needed
    }
    openings.load(open_still)
    bonus.update((key, _bonus(question, coverage_of(question, openings, firsts[key]))) for key in open_still)
    found = [
        replace(
            hit,
            score=hit.score + bonus[hit.chunk.document_id],
            lexical=hit.lexical + bonus[hit.chunk.document_id],
        )
        for hit in hits
    ]
    return sorted(found, key=lambda hit: -hit.score)[:top_k]


def _bonus(question: Question, coverage: Coverage) -> float:
    """What a document gains for what it holds of a question, as a cosine."""
    return (
        _HOLDS_FULL_NAMES * coverage.full_names
        + _HOLDS_WORDS * coverage.single_names
        + _HOLDS_NUMBERS * (coverage.numbers if question.numbers else 0.0)
    )


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a document holds of a question.

    Attributes:
        names, numbers: part of the question's names and numbers that are held, 0 to 1; 1 when it has none.
        full_names: part of its names of several words of which every word is held; 0 when it has none.
        single_names: part of its names of one word that are held; 0 when it has none.
        missing: the names and numbers that it does not hold.
        held: positions of the question's words that it holds.
        digits: the numbers that it holds; none are looked for when the question has none.
    """

    names: float
    full_names: float
    single_names: float
    numbers: float
    missing: tuple[str, ...]
    held: frozenset[int]
    digits: frozenset[str]


def coverage_of(question: Question, openings: Openings, hit: Hit) -> Coverage:
    """What a hit's document holds of a question: its title, the passage, and its first sentences."""
    stated, document_id = stated_by(question, openings, hit), hit.chunk.document_id
    held = stated.held | openings.held(document_id)
    return _coverage(question, openings.asked, held, stated.digits | openings.numbers(document_id))


def stated_by(question: Question, openings: Openings, hit: Hit) -> Coverage:
    """What the passage and its title alone hold of a question."""
    held: set[int] = set()
    texts = ((hit.title, hit.document_language), (hit.chunk.text, hit.chunk.language))
    for text, language in texts:
        held |= openings.matcher.positions([text], language)
    return _coverage(question, openings.asked, held, openings.numbers_of(texts))


def _coverage(question: Question, asked: Wanted, held: Collection[int], digits: Collection[str]) -> Coverage:
    shares = {name: _share_held(name, asked, held) for name in question.names}
    missing = [" ".join(name) for name, share in shares.items() if share <= _HELD]
    unheld = sorted(question.numbers.difference(digits))
    return Coverage(
        names=_mean([float(share > _HELD) for share in shares.values()], none=1.0),
        full_names=_mean([float(share == 1.0) for name, share in shares.items() if len(name) > 1], none=0.0),
        single_names=_mean([share for name, share in shares.items() if len(name) == 1], none=0.0),
        numbers=1 - len(unheld) / len(question.numbers) if question.numbers else 1.0,
        missing=(*missing, *unheld),
        held=frozenset(held),
        digits=frozenset(digits),
    )


def _mean(values: Sequence[float], *, none: float) -> float:
    return sum(values) / len(values) if values else none


def _share_held(name: tuple[str, ...], asked: Wanted, held: Collection[int]) -> float:
    """Which part of a name's words was found."""
    positions = positions_of(name, asked)
    return sum(position in held for position in positions) / len(positions) if positions else 0.0
