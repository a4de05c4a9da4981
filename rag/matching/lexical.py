"""The lexical leg: which words, numbers and names of a question stand in a text, in any script.

A word counts where it stands in the text as it is. Across scripts a word, or two adjacent words run together, counts
where the text has a word or pair with a sound key of it that also sounds alike
("Can Tho", "Cần Thơ", "ক্যান থো"). What a match is worth is its rarity: 1 for a word of one chunk, 0 for a word of
all of them. Words of one language often look like others of another ("so", "trong"), so between languages only
names, codes, numbers and sound-alikes count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from index.language.lexicon import languages, lexicon
from index.language.short_texts import is_stop
from index.language.sounds import SHORTEST_KEY, Sound, joined, one_name, sounds_of
from index.language.terms import fold, joined_terms, name_sounds, split_words, without_ending, word_terms
from rag.question import Question

# Letters of a name from which a longer word that begins with it counts as the name. Chosen: shorter ones begin many.
SHORTEST_STEM = 5
# Ways of hearing each of two words that are run together. Chosen for time.
_WAYS_OF_PAIRS = 4


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question, or two adjacent ones: `first`..`last` are positions of words, both included.

    `sounds` are the ways in which it may be heard, each with a key; none where it is not looked for by its sound.
    """

    first: int
    last: int
    words: tuple[str, ...]
    forms: frozenset[str]
    sounds: tuple[Sound, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: the question's words and the terms made of them.

    `names` holds the positions of words that the question writes as a name, or that contain a digit.
    """

    words: tuple[str, ...]
    terms: tuple[Term, ...]
    names: frozenset[int]
    language: str

    def is_name(self, term: Term) -> bool:
        """Whether any word of a term is written as a name."""
        return any(position in self.names for position in range(term.first, term.last + 1))


@dataclass(slots=True)
class TextTerms:
    """The terms of a text: its folded words, and by sound key what is heard of words and pairs.

    `named` holds what is heard of those that may be names as they are written.
    """

    language: str
    words: set[str] = field(default_factory=set)
    sounds: dict[str, set[str]] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)


@lru_cache(maxsize=8192)  # the same passages and sentences are asked about again and again
def text_terms(text: str, language: str) -> TextTerms:
    """The terms of a text; what is returned is shared and must not be changed."""
    found = TextTerms(language=language, words=set(word_terms(text)))
    for heard, named in name_sounds(text, language):
        found.sounds.setdefault(heard.key, set()).add(heard.heard)
        if named:
            found.named.setdefault(heard.key, set()).add(heard.heard)
    return found


def wanted(question: Question) -> Wanted:
    """The terms of a question, stop words left out."""
    words = tuple(split_words(question.text))
    name_words = {fold(word) for name in question.names for word in name}
    names = frozenset(
        i for i, word in enumerate(words) if fold(word) in name_words or any(c.isnumeric() for c in word)
    )
    # Where names show by their capitals, a short word that is none meets others by chance.
    cased = question.text != question.text.lower()
    # Syllables that are no name's sound like words of every language.
    syllabic = cased and question.language in languages() and lexicon(question.language).syllabic
    terms = []
    for i, word in enumerate(words):
        if is_stop(fold(word), question.language) and i not in names:
            continue
        terms.append(_term(words, i, i, question.language, short=not cased or i in names))
        if syllabic and not word[0].isupper():
            terms[-1] = replace(terms[-1], sounds=())
            continue
        if i + 1 < len(words) and (i + 1 in names or not is_stop(fold(words[i + 1]), question.language)):
            terms.append(_term(words, i, i + 1, question.language, short=False))
    terms += _codes(words, question.text)
    return Wanted(words=words, terms=tuple(terms), names=names, language=question.language)


def _codes(words: Sequence[str], text: str) -> list[Term]:
    """Codes and grouped numbers of several words ("7-1-5"), as an index has them: run together."""
    found = []
    for code in dict.fromkeys(joined_terms(text)):
        for first in range(len(words)):
            run, last = fold(words[first]), first
            while run != code and code.startswith(run) and last + 1 < len(words):
                last += 1
                run += fold(words[last])
            if run == code and last > first:
                part = tuple(words[first : last + 1])
                found.append(Term(first=first, last=last, words=part, forms=frozenset({code}), sounds=()))
    return found


def _term(words: Sequence[str], first: int, last: int, language: str, *, short: bool) -> Term:
    part = tuple(words[first : last + 1])
    heard = [_heard(word, language) for word in part]
    if last > first:
        left, right = (ways[:_WAYS_OF_PAIRS] for ways in heard)
        ways = [joined(before, after) for before in left for after in right]
    else:
        ways = heard[0]
    return Term(
        first=first,
        last=last,
        words=part,
        forms=frozenset(word_terms(part[0])) if first == last else frozenset(),
        sounds=tuple(way for way in ways if way.key and (short or len(way.consonants) >= SHORTEST_KEY)),
    )


def _heard(word: str, language: str) -> list[Sound]:
    """The ways in which a word may be heard, first without its case ending."""
    bare = without_ending(word, lexicon(language).endings)
    ways = sounds_of(bare, language)
    return list(ways if bare == word else dict.fromkeys((*ways, *sounds_of(word, language))))


def matched(asked: Wanted, text: TextTerms) -> dict[Term, bool]:
    """The terms that stand in the text: True as they are written, False by their sound."""
    same_language = asked.language == text.language
    found: dict[Term, bool] = {}
    for term in asked.terms:
        is_name = asked.is_name(term)
        if ((same_language or is_name) and term.forms & text.words) or (
            is_name and _begins_a_word(term, text)
        ):
            found[term] = True
        elif sounds_in(term, text, is_name=is_name):
            found[term] = False
    return found


def _begins_a_word(term: Term, text: TextTerms) -> bool:
    """Whether a longer word of the text begins with a name: compounds and case endings ("Lumenmuseet")."""
    names = tuple(form for form in term.forms if is_stem(form))
    return bool(names) and any(word.startswith(names) for word in text.words)


def is_stem(form: str) -> bool:
    """Whether longer words that begin with a name's form count as it; figures that go on are another number."""
    return len(form) >= SHORTEST_STEM and not form[-1].isdigit()


def sounds_in(term: Term, text: TextTerms, *, is_name: bool = False) -> bool:
    """Whether a word or pair of the text sounds like the term; like a name only what may be one sounds."""
    among = text.named if is_name else text.sounds
    return any(one_name(way.heard, heard) for way in term.sounds for heard in among.get(way.key, ()))


def overlap(
    asked: Wanted, found: Mapping[Term, bool], language: str, rarity: Callable[[Term, bool], float]
) -> tuple[float, float]:
    """What the question's words that stand in a text are worth, each by the rarest term that covers it.

    Args:
        found: the terms that stand in the text, as `matched` gives them.
        language: the text's.

    Returns:
        (names, words): names, numbers and what sounds alike in another language, which count between any
        passages; and ordinary words of one language, which say nothing about passages of another.
    """
    worth = [0.0] * len(asked.words)
    for term, exact in found.items():
        value = rarity(term, exact)
        for position in range(term.first, term.last + 1):
            # A pair is one finding: its worth is shared by its two words.
            worth[position] = max(worth[position], value / (term.last - term.first + 1))
    between = asked.language != language
    names = math.fsum(value for i, value in enumerate(worth) if between or i in asked.names)
    return names, math.fsum(worth) - names


def rarity_from(frequencies: Mapping[tuple[str, str], int], chunks: int) -> Callable[[Term, bool], float]:
    """A rarity in [0, 1] from how many of `chunks` chunks hold a word or key (BM25's idf over its largest value)."""
    highest = math.log1p((chunks + 0.5) / 0.5) or 1.0

    def rarity(term: Term, exact: bool) -> float:
        if exact:
            count = min((frequencies.get(("words", form), 0) for form in term.forms), default=0)
        else:
            count = max((frequencies.get(("keys", way.key), 0) for way in term.sounds), default=0)
        return math.log1p((chunks - min(count, chunks) + 0.5) / (count + 0.5)) / highest

    return rarity
