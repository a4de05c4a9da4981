"""Our own tokens for the lexical leg: words of every script, and sound keys that meet across scripts.

Words: Unicode letters, marks and digits, folded (NFKC, case, digits of all scripts to ASCII). Text without
spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) gives character bigrams. Latin words also
give their form without diacritics, codes ("57-NQ/TW") and grouped numbers ("1.200") their joined form.

Sound keys: a word is romanised (anyascii), evened out (glides, aspirates, nasals), and reduced by Metaphone
to its consonants; adjacent words also give one joined key, because a transliterator writes "Can Tho" as one
word or two as it likes. A key is a hint for recall, never evidence: `same_sound` compares the romanised forms.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import regex
from anyascii import anyascii
from jellyfish import metaphone
from rapidfuzz.distance import JaroWinkler

from index.language.lexicon import lexicon

# Raise it when the same text would give other tokens; the index is then rebuilt.
TERMS_VERSION = 1

_JOINERS = "‌‍"
_WORD = regex.compile(rf"[\p{{L}}\p{{M}}\p{{N}}{_JOINERS}]+")
_UNSPACED_SCRIPTS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNSPACED = regex.compile(rf"[{_UNSPACED_SCRIPTS}]+")
_UNHEARD = regex.compile(rf"[\p{{N}}{_UNSPACED_SCRIPTS}]")
_FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
_CODE = regex.compile(r"\p{N}[\p{L}\p{N}]*(?:[-/.][\p{L}\p{N}\p{M}]+)+|\p{Lu}+(?:[-/]?\p{N}+)+")
_GROUPED = regex.compile(r"(?<![\p{N}.,])\p{N}{1,3}(?:[.,  ]\p{N}{2,3})+(?![\p{N}])")
_INDIC = re.compile(r"[ऀ-෿]")
_LATIN = regex.compile(r"^[\p{Latin}\p{M}\p{N}]+$")

# The nasal signs of the Indic scripts stand for n, m or ng by position; anyascii writes m for each.
_NASALS = {ord(mark): "ng" for mark in "ংঁंँંਂଂంಂം"}
SHORTEST_KEY = 3
# Letter-by-letter romanisation to how names are usually spelt: no glide after a consonant, "ch" for the letter
# that anyascii writes c, one nasal. Both sides meet at k for a hard c and f for ph. What follows a letter is looked
# for only where the letter is.
_INDIC_SPELLING = (
    ("y", re.compile(r"(?<=[bcdfghjklmnpqrstvwxz])y(?=[aeiou])"), ""),
    ("c", re.compile(r"c(?!h)"), "ch"),
    ("bh", re.compile(r"bh"), "v"),
    ("ph", re.compile(r"ph"), "f"),
    ("ng", re.compile(r"ng(?=[nm])|ngg"), "n"),
)
_LATIN_SPELLING = (
    ("c", re.compile(r"c(?![ehiy])"), "k"),
    ("q", re.compile(r"q"), "k"),
    ("ph", re.compile(r"ph"), "f"),
)
# "nh" and "ng" are one nasal; Metaphone keeps the h and the k it hears in them.
_NASAL_TAIL = re.compile(r"n[hk]+")
_NOT_LETTERS = re.compile(r"[^a-z ]")
_PUNCTUATION = regex.compile(r"[^\p{L}\p{M}\p{N}]")
_MARKS = regex.compile(r"[^\p{L}\p{N}]")
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
    return [key for key, _ in sounds(text, language)]


def sounds(text: str, language: str) -> list[tuple[str, str]]:
    """(sound key, romanised form) of each word and each pair of adjacent words, run together.

    Words with a case ending of the language also count without it ("থোর": of Tho). Keys under 3 letters
    are left out: they would meet by chance.
    """
    variants = [word_sounds(word, language) for word in split_words(text)]
    found = [form for words in variants for form in words if len(form[0]) >= SHORTEST_KEY]
    for left, right in pairwise(variants):
        key, roman = left[0]
        found += [
            (key + tail, roman + more)
            for tail, more in right
            if key and tail and len(key) + len(tail) >= SHORTEST_KEY
        ]
    return found


def without_ending(word: str, endings: Sequence[str]) -> str:
    """A word without the first of `endings` that it has, when at least two characters are left."""
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=65536)
def word_sounds(word: str, language: str) -> tuple[tuple[str, str], ...]:
    """(sound key, romanised form) of a word, and of the word without its case ending; a key may be empty."""
    forms = list(dict.fromkeys((word, without_ending(word, lexicon(language).endings))))
    # Bengali writes the b of loanwords and the v of Sanskrit with one letter.
    forms += [form.replace("ব", "ভ") for form in forms if "ব" in form]
    return tuple((sound_key(form), romanise(form)) for form in forms)


@lru_cache(maxsize=65536)
def sound_key(word: str) -> str:
    """The consonants of a word as heard, e.g. "KN" for Can, ক্যান and कैन; empty for numbers and Han text."""
    if _UNHEARD.search(word):
        return ""
    heard = str(metaphone(romanise(word))).replace("0", "T").replace(" ", "").lower()
    return _NASAL_TAIL.sub("n", heard) if "n" in heard else heard


@lru_cache(maxsize=65536)
def romanise(word: str) -> str:
    """A word in lower-case ASCII letters, written as a Latin-script newspaper would rather than letter by letter."""
    indic, latin = False, word
    if not word.isascii():
        text = unicodedata.normalize("NFC", word)
        indic = _INDIC.search(text) is not None
        latin = str(anyascii(text.translate(_NASALS) if indic else text))
    latin = latin.lower()
    if not latin.isalpha():
        latin = _NOT_LETTERS.sub("", latin)
    for letters, pattern, spelling in _INDIC_SPELLING if indic else _LATIN_SPELLING:
        if letters in latin:
            latin = pattern.sub(spelling, latin)
    return latin


def same_sound(left: str, right: str) -> float:
    """How alike two romanised words are, in [0, 1]: Jaro-Winkler similarity."""
    return float(JaroWinkler.similarity(left, right))


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
