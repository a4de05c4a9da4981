"""Our own tokens for the lexical leg: words of every script, and sound keys that meet across scripts.

Words: Unicode letters, marks and digits, folded (NFKC, case, digits of all scripts to ASCII). Text without
spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) gives character bigrams. Latin words also
give their form without diacritics, codes ("57-NQ/TW") and grouped numbers ("1.200") their joined form.

Sound keys: see `index.language.sounds`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import pairwise

import regex
from anyascii import anyascii

from index.language.lexicon import languages, lexicon
from index.language.sounds import Sound, joined, sound, sounds_of

# Raise it when the same text would give other tokens; the index is then rebuilt.
TERMS_VERSION = 4

_JOINERS = "‌‍"
_WORD = regex.compile(rf"[\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]+")
_UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNSPACED = regex.compile(rf"[{_UNSPACED_SCRIPTS}]+")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
# From the first digit of a run, in which every later one would find the same: the time stays linear.
_CODE = regex.compile(r"(?<!\p{N})\p{N}[\p{L}\p{N}]*(?:[-/.][\p{L}\p{N}\p{M}]+)+|\p{Lu}+(?:[-/]?\p{N}+)+")
_GROUPED = regex.compile(r"(?<![\p{N}.,])\p{N}{1,3}(?:[.,  ]\p{N}{2,3})+(?![\p{N}])")
_LATIN = regex.compile(r"^[\p{Latin}\p{M}\p{N}]+$")

_PUNCTUATION = regex.compile(r"[^\p{L}\p{M}\p{N}]")
_MARKS = regex.compile(r"[^\p{L}\p{N}]")
# Ways of hearing a word of a text. Of cities (CLDR) a second one finds 1.2 points more; 1 in 100 more found are wrong.
_WAYS = 4
# Words around numbers that are names of things and stand in names too ("Wall Street").
_OF_THINGS = frozenset({"money", "money_before", "units", "durations", "street", "street_after", "phone"})
# Longer "words" are not words; hostile text can hold one of a megabyte.
_LONGEST_WORD = 64


def fold(text: str) -> str:
    """NFKC, case folded, decimal digits of every script as ASCII, joiners removed. May change the length."""
    plain = fold_digits(unicodedata.normalize("NFKC", text)).casefold()
    return plain.translate({0x200C: None, 0x200D: None})


def fold_digits(text: str) -> str:
    """Decimal digits of every script as ASCII; every other character, and the length, as it was."""
    return text if text.isascii() else _FOREIGN_DIGIT.sub(lambda digit: str(int(digit.group())), text)


def split_words(text: str) -> list[str]:
    """The words as they stand in the text, marks kept, punctuation dropped."""
    return [word[:_LONGEST_WORD] for word in _WORD.findall(text)]


def word_terms(text: str) -> list[str]:
    """Folded search terms of a text, in order, with repetitions."""
    terms: list[str] = []
    for word in split_words(text):
        terms += word_forms(word)
    return [*terms, *joined_terms(text)]


@lru_cache(maxsize=65536)
def word_forms(word: str) -> tuple[str, ...]:
    """Folded search terms of one word as `split_words` gives it."""
    if word.isascii():
        return (word.lower(),) if word else ()
    return tuple(form for form in _forms(fold(word)) if form)


def joined_terms(text: str) -> list[str]:
    """Search terms of a text's codes ("57-NQ/TW") and grouped numbers ("1.200"); each holds a digit."""
    joined = [_joined(match.group()) for pattern in (_CODE, _GROUPED) for match in pattern.finditer(text)]
    return [term for term in joined if term]


def sound_keys(text: str, language: str) -> list[str]:
    """Sound keys of a text, in order, with repetitions: what the index stores of `sounds`."""
    return [found.key for found in sounds(text, language)]


def sounds(text: str, language: str) -> list[Sound]:
    """How each word and each pair of adjacent words, run together, is heard; what has no key is left out.

    Words with a case ending of the language also count without it ("থোর": of Tho).
    """
    words = [word_sounds(word, language) for word in split_words(text)]
    found = [heard for forms in words for heard in forms]
    for left, right in pairwise(words):
        found += [joined(left[0], tail) for tail in right]
    return [heard for heard in found if heard.key]


def name_sounds(text: str, language: str) -> list[tuple[Sound, bool]]:
    """How words and pairs are heard that may be content, with whether they may be a name as they are written.

    A word without content is never heard as another one: "নং" (number) is no "Nang". Where a script has capitals, a
    name begins with one.
    """
    words = split_words(text)
    spoken = [word_ways(word, language) for word in words]
    found = [
        (heard, may_be_name(word))
        for word, forms in zip(words, spoken, strict=True)
        if not is_function_word(word, language)
        for heard in forms
    ]
    for (word, left), right in pairwise(zip(words, spoken, strict=True)):
        found += [(joined(left[0], tail), may_be_name(word)) for tail in right[1]]
    return [(heard, named) for heard, named in found if heard.key]


def may_be_name(word: str) -> bool:
    """Whether a word is written as a name may be: not in small letters."""
    return not word[:1].islower()


def is_function_word(word: str, language: str) -> bool:
    """Whether a word asks, counts, joins or bounds and says nothing by itself; False without a table."""
    return language in languages() and fold(word) in _function_words(language)


@cache
def _function_words(language: str) -> frozenset[str]:
    table = lexicon(language)
    phrases = [*table.stop, *table.numbers.units, *table.numbers.scale]
    phrases += [
        phrase for kind in (*table.question.values(), *table.conversation.values()) for phrase in kind
    ]
    phrases += [p for kind, words in table.quantity.items() if kind not in _OF_THINGS for p in words]
    return frozenset(fold(phrase) for phrase in phrases if len(split_words(phrase)) == 1)


def without_ending(word: str, endings: Sequence[str]) -> str:
    """A word without the first of `endings` that it has, when at least two characters are left."""
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=65536)
def word_sounds(word: str, language: str) -> tuple[Sound, ...]:
    """How a word is heard, and the word without its case ending; a key may be empty."""
    bare = without_ending(word, lexicon(language).endings)
    heard = sound(word, language)
    return (heard,) if bare == word else tuple(dict.fromkeys((heard, sound(bare, language))))


@lru_cache(maxsize=65536)
def word_ways(word: str, language: str) -> tuple[Sound, ...]:
    """The usual ways in which a word of a text may be heard, those of `word_sounds` first."""
    bare = without_ending(word, lexicon(language).endings)
    others = [way for form in dict.fromkeys((word, bare)) for way in sounds_of(form, language)[:_WAYS]]
    return tuple(dict.fromkeys((*word_sounds(word, language), *others)))


def _forms(word: str) -> Iterable[str]:
    runs = _UNSPACED.findall(word)
    if runs:
        for run in runs:
            yield from [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        yield from (part for part in _UNSPACED.split(word) if part)
        return
    yield word
    if not word.isascii() and _LATIN.match(word):
        plain = _MARKS.sub("", anyascii(word).lower())
        if plain != word:
            yield plain


def _joined(text: str) -> str:
    return str(_PUNCTUATION.sub("", fold(text)))
