"""A question in Latin letters spelt as its language writes it: "kitne gaon" is कितने गाँव.

An encoder takes Hindi or Bengali in Latin letters for another language (`python -m eval.studies.romanised`). Each word
is looked for by its sound among the words without content of its language's table and among words that stand in texts;
what neither has stays as it is, as do numbers and names.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

import regex
from anyascii import anyascii
from rapidfuzz.distance import Levenshtein

from index.language.lexicon import languages, lexicon
from index.language.short_texts import function_words
from index.language.sounds import Sound, alike, one_name, sound, sounds_of
from index.language.terms import split_words

# Words and what stands between them.
_PIECE = regex.compile(r"[\p{L}\p{M}]+")
_LATIN = regex.compile(r"[\p{Latin}\p{M}]+")
_OTHER_LETTER = regex.compile(r"(?!\p{Latin})\p{L}")
# What a word that stands e times as often is more alike, and one that is written as its romanisation. Chosen: they
# decide between words that sound the same ("kya": क्या, किया).
_OFTEN, _LETTERS = 0.01, 0.2


def is_romanised(text: str, language: str) -> bool:
    """Whether a text in `language` has Latin letters where the language has others."""
    return language in languages() and bool(lexicon(language).romanised) and not _OTHER_LETTER.search(text)


def keys_wanted(text: str, language: str) -> set[str]:
    """The sound keys of words that a text in Latin letters may mean; those without content are left out."""
    words = {word.lower() for word in split_words(text) if _LATIN.fullmatch(word)}
    known = _known(language)
    return {
        way.key
        for word in words
        if _nearest(word, language, known) is None
        for way in _ways(word, language)
        if way.key
    }


def respelt(text: str, language: str, written: Iterable[str], *, kept: Iterable[str] = ()) -> str:
    """A text in Latin letters as `language` writes it.

    Args:
        written: words of texts in the language, as often as they stand there.
        kept: words that stay as they are, such as names.
    """
    counts = Counter(written)
    known = _by_sound({**dict.fromkeys(function_words(language), 1), **counts}, language)
    unchanged = frozenset(kept)

    def spelt(match: regex.Match[str]) -> str:
        word: str = match.group()
        if word in unchanged or not _LATIN.fullmatch(word):
            return word
        lower = word.lower()
        return _nearest(lower, language, known) or word

    return str(_PIECE.sub(spelt, text))


# By sound key, or what is heard where that is too little for a key: words with what is heard, and what they weigh.
_Words = Mapping[str, list[tuple[str, str, float]]]


@lru_cache(maxsize=4096)
def _ways(word: str, language: str) -> tuple[Sound, ...]:
    """The ways of hearing a word; the vowel behind the last consonant, which scripts leave out, may be written."""
    bare = word[:-1] if len(word) > 2 and word.endswith(("a", "o")) else word
    return tuple(dict.fromkeys((*sounds_of(word, language), *sounds_of(bare, language))))


def _nearest(word: str, language: str, among: _Words) -> str | None:
    """The word most alike in sound; None where none is alike."""
    best, most = None, -math.inf
    for way in _ways(word, language):
        for other, heard, weight in among.get(_place(way), ()):
            if (
                one_name(way.heard, heard)
                and (worth := alike(way.heard, heard) + weight + _LETTERS * _as_written(word, other)) > most
            ):
                best, most = other, worth
    return best


def _as_written(word: str, other: str) -> float:
    """How alike the letters of a word and of another one's plain romanisation are, in [0, 1]."""
    return float(Levenshtein.normalized_similarity(word, _plain(other)))


@lru_cache(maxsize=16384)
def _plain(word: str) -> str:
    return anyascii(word).lower()


def _place(heard: Sound) -> str:
    return heard.key or f"={heard.heard.replace('.', 'a')}"


def _by_sound(counts: Mapping[str, int], language: str) -> _Words:
    found: dict[str, list[tuple[str, str, float]]] = defaultdict(list)
    for word, count in counts.items():
        if not _OTHER_LETTER.match(word):
            continue
        heard = sound(word, language)
        if heard.heard:
            found[_place(heard)].append((word, heard.heard, _OFTEN * math.log(count)))
    return found


@cache
def _known(language: str) -> _Words:
    return _by_sound(dict.fromkeys(sorted(function_words(language)), 1), language)
