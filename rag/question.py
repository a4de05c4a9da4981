"""What a question asks for, and the names and numbers that an answer must be about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import regex

from index.language.detection import detect
from index.language.lexicon import CAPITAL_NOUNS, all_lexicons, languages, lexicon
from index.language.quantities import numbers_in
from index.language.short_texts import without_marks
from index.language.terms import fold, split_words

QuestionKind = Literal[
    "count", "share", "money", "date", "duration", "person", "place", "reason", "manner", "other"
]

# Looked for in this order: the longer, more special phrase decides ("how many percent" is a share).
_ORDER: tuple[QuestionKind, ...] = (
    "share", "money", "date", "duration", "count", "person", "place", "reason", "manner",
)  # fmt: skip
_NUMERIC: frozenset[QuestionKind] = frozenset({"count", "share", "money", "duration"})
_CASED = regex.compile(r"[\p{Latin}\p{Cyrillic}\p{Greek}\p{Armenian}]")
_SENTENCE_END = regex.compile(r"(?<=[?!…])\s+|(?<=\p{Ll}{2}\.)\s+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, analysed.

    Attributes:
        language: ISO 639-1, "und" when it cannot be told.
        kind: what it asks for.
        names: runs of words that the question writes as names (capitals within the sentence).
        numbers: those it gives in digits, plain and ASCII, scale words applied (`numbers_in`).
        own: the words of a follow-up itself when `text` also carries words of an earlier turn; else None.
        brief: whether it was answered already and is to be answered more shortly, by whoever can.
    """

    text: str
    language: str
    kind: QuestionKind
    names: tuple[tuple[str, ...], ...]
    numbers: frozenset[str]
    own: str | None = None
    brief: bool = False

    @property
    def wants_number(self) -> bool:
        """Whether the short answer is an amount."""
        return self.kind in _NUMERIC

    @property
    def wants_date(self) -> bool:
        """Whether the short answer is a date or year."""
        return self.kind == "date"


def analyse(
    text: str,
    *,
    language: str | None = None,
    among: Collection[str] = (),
    expected: Sequence[str] = (),
) -> Question:
    """Analyse a question; `language` overrides the detection, `among` and `expected` are those of `detect`."""
    tongue = language or detect(text, among=among, expected=expected)
    return Question(
        text=text,
        language=tongue,
        kind=_kind(text, tongue),
        names=tuple(_names(text, tongue)),
        numbers=frozenset(numbers_in(text, tongue)),
    )


def _kind(text: str, language: str) -> QuestionKind:
    written, plain = f" {fold(text)} ", f" {without_marks(fold(text))} "
    tables = (
        [lexicon(language)] if language in {table.language for table in all_lexicons()} else all_lexicons()
    )
    for kind in _ORDER:
        for table in tables:
            phrases, bare = _phrases(table.language, kind), _bare_phrases(table.language, kind)
            if phrases is not None and phrases.search(written):
                return kind
            if plain == written and bare is not None and bare.search(written):
                return kind
    return "other"


@cache
def _phrases(language: str, kind: QuestionKind) -> regex.Pattern[str] | None:
    """Where a phrase of a kind starts a word; it may go on, for glued endings."""
    phrases = [regex.escape(fold(phrase)) for phrase in lexicon(language).question.get(kind, ())]
    return regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{'|'.join(phrases)})") if phrases else None


@cache
def _bare_phrases(language: str, kind: QuestionKind) -> regex.Pattern[str] | None:
    """The same for a text without diacritics, where the language writes them: phrases of several words, which alone are
    not other words then ("bao nhieu")."""
    folded = [fold(phrase) for phrase in lexicon(language).question.get(kind, ())]
    phrases = [
        regex.escape(bare)
        for phrase in folded
        if (bare := without_marks(phrase)) != phrase and " " in bare.strip()
    ]
    return regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{'|'.join(phrases)})") if phrases else None


def _names(text: str, language: str) -> list[tuple[str, ...]]:
    """Runs of words with capitals, those apart that a sentence or its language gives a capital anyway."""
    if language in CAPITAL_NOUNS or text.isupper() or not _CASED.search(text):
        return []
    return [
        run
        for sentence in _SENTENCE_END.split(text)
        for run in _runs(split_words(sentence), language)
        # Where each syllable of a name has a capital, one alone begins the name of an office, a paper, a plain:
        # "Nghị quyết", "Đồng bằng".
        if len(run) > 1 or not (language in languages() and lexicon(language).syllabic)
    ]


def _runs(words: list[str], language: str) -> list[tuple[str, ...]]:
    """Adjacent words of one sentence that are written as a name; an abbreviation stands alone."""
    runs: list[tuple[str, ...]] = []
    run: list[str] = []
    for position, word in enumerate([*words, ""]):
        short = word.isupper() and len(word) > 1
        is_name = word[:1].isupper() and (len(word) > 1 or bool(run)) and not short
        if is_name and position == 0:
            # A question may open with a name ("Can Tho đã ..."); one capital alone opens every sentence.
            following = words[1] if len(words) > 1 else ""
            is_name = following[:1].isupper() and not _opens(word, language)
        if is_name and not _is_identifier(words[position : position + 3], language):
            run.append(word)
            continue
        if run:
            runs.append(tuple(run))
            run = []
        if short and len(word) > 2:
            runs.append((word,))
    return runs


def _opens(word: str, language: str) -> bool:
    """Whether a word opens a sentence and is no part of the name behind it ("Compare Can Tho with ...")."""
    return fold(word) in lexicon(language).stop | lexicon(language).before_names


def _is_identifier(words: list[str], language: str) -> bool:
    """Whether words begin with one that numbers a thing, as in "Resolution 57": a capital does not make it a name."""
    known = lexicon(language).quantity["identifier"]
    return any(fold(" ".join(words[:count])) in known for count in range(1, len(words) + 1))
