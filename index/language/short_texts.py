"""What single words tell of the language of a few: letters of one language, words without content, the shape of words.

Statistics of letters fail on a few words, and know no Vietnamese without diacritics and no Hindi or Bengali in Latin
letters. The tables do: their words without content are looked for as they stand, without diacritics, and by their sound
(`index.language.sounds`), so that "kitne", "kitane" and कितने are one.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache

import regex
from babel import Locale

from index.language.lexicon import all_lexicons, lexicon
from index.language.sounds import sound
from index.language.terms import fold, split_words

# What evidence is worth, in natural logarithms of likelihood; by hand, on `python -m eval.studies.languages`.
_LETTER = 4.0
# A word without content that one language alone has; shared by n, an nth of it.
_WORD = 2.5
# The same, recognised by its sound alone.
_HEARD = 1.5
# What each word takes away that is none of them.
_OTHER_WORD = 0.3
# Each word that has the shape of a language whose words all have one, where every word of the text has it.
_SHAPED = 1.2
# What the likelihood of the sounds counts, and how often three sounds are taken to follow each other that never do.
_SOUNDS = 0.5
_SOUNDS_ALONE = 0.3
_UNSEEN, _DIFFERENT = 0.5, 2500
_MARKED = regex.compile(r"(?![a-z])\p{Latin}")
_LATIN = regex.compile(r"^[\p{Latin}\p{M}]+$")


@lru_cache(maxsize=1024)
def evidence(text: str) -> Mapping[str, float]:
    """How much likelier single words make each language with a table; languages without evidence are left out."""
    words = split_words(fold(text))
    found: dict[str, float] = {}
    is_name = _is_name(text)
    for word in [] if is_name else words:
        told = _of_word(word)
        for language, weight in told.items():
            found[language] = found.get(language, 0.0) + weight
    # Chance gives a long text some words of every language; of its own it has many.
    for language, worth in found.items():
        others = sum(language not in _of_word(word) for word in words)
        found[language] = max(0.0, worth - _OTHER_WORD * others)
    for language, likelihood in _letters_tell([] if is_name else words).items():
        # Sounds alone are also those of languages that have no table ("Quanto costa?").
        known = found.get(language, 0.0)
        found[language] = known + likelihood * (1.0 if known else _SOUNDS_ALONE)
    if any(_MARKED.search(word) for word in words):  # nobody writes those in Latin letters with marks
        found = {language: worth for language, worth in found.items() if not lexicon(language).romanised}
    for language, pattern in _shapes().items():
        # Two syllables may be any name.
        if (language in found or len(words) > 2) and all(pattern.fullmatch(without_marks(w)) for w in words):
            found[language] = found.get(language, 0.0) + _SHAPED * (len(words) - 1)
    for table in all_lexicons():
        if not table.letters.isdisjoint(unicodedata.normalize("NFC", text.lower())):
            found[table.language] = found.get(table.language, 0.0) + _LETTER
    return found


def _is_name(text: str) -> bool:
    """Whether several words all have a capital: a name's words may be any language's ("Can Tho")."""
    words = split_words(text)
    if not words or fold(words[0]) in _openings():  # "And Varnholt?"
        return False
    return len(words) > 1 and all(word[0].isupper() and not word.isupper() for word in words)


@cache
def _openings() -> frozenset[str]:
    """Words that go on from what was said."""
    return frozenset(fold(word) for table in all_lexicons() for word in table.conversation.get("opening", ()))


def is_stop(word: str, language: str) -> bool:
    """Whether a folded word carries no content, however it is written."""
    table = lexicon(language)
    return word in table.stop or word in table.romanised or (word.isascii() and word in _plain_stop(language))


@cache
def _plain_stop(language: str) -> frozenset[str]:
    """Words without content that diacritics alone tell from others only where they have two letters or more."""
    stop = lexicon(language).stop
    return frozenset(without_marks(word) for word in stop if len(word) > 1)


def without_marks(text: str) -> str:
    """`text` without diacritics: as people type Vietnamese or Swedish in a hurry."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@lru_cache(maxsize=8192)
def _of_word(word: str) -> Mapping[str, float]:
    """What one folded word tells: as it stands, else without diacritics, else by its sound."""
    for known, weight in ((_written(), _WORD), (_plain(), _WORD), (_heard(), _HEARD)):
        key = sound(word, "und").heard if known is _heard() else word
        languages = known.get(key, frozenset()) if key else frozenset()
        if languages:
            # Words of two letters stand in every language.
            return dict.fromkeys(languages, weight / len(languages) * (1.0 if len(word) > 2 else 0.5))
    return {}


def _letters_tell(words: Sequence[str]) -> dict[str, float]:
    """How much likelier a text in Latin letters is in a language of another script than in the others, by its
    sounds."""
    if not words or not all(map(_LATIN.match, words)):
        return {}
    heard = [sound(word, "und").heard for word in words]
    likely = {language: _likelihood(heard, grams) for language, grams in _grams().items()}
    home = max(likely[table.language] for table in all_lexicons() if not table.romanised)
    return {
        table.language: _SOUNDS * max(0.0, likely[table.language] - home)
        for table in all_lexicons()
        if table.romanised and likely[table.language] > home
    }


def _likelihood(heard: Sequence[str], grams: Mapping[str, float]) -> float:
    return sum(grams.get(gram, grams[""]) for word in heard for gram in _grams_of(word))


def _grams_of(heard: str) -> list[str]:
    padded = f" {heard} "
    return [padded[place : place + 3] for place in range(len(padded) - 2)]


@cache
def _grams() -> dict[str, dict[str, float]]:
    """By language, the logarithm of how often three sounds follow each other in its table's texts; "": any others."""
    found = {}
    for table in all_lexicons():
        texts = [*function_words(table.language), *table.romanised]
        words = {word for text in texts for word in split_words(text)}
        counts: Counter[str] = Counter()
        for word in words:
            if not table.romanised and not _LATIN.match(word):
                continue
            heard = sound(word, table.language).heard
            for form in {
                heard.replace(".", ""),
                heard.replace(".", "a"),
                heard.replace(".", "a") + "a" * bool(table.romanised),
            }:
                counts.update(_grams_of(form))
        total = sum(counts.values()) + _UNSEEN * _DIFFERENT
        found[table.language] = {gram: math.log((count + _UNSEEN) / total) for gram, count in counts.items()}
        found[table.language][""] = math.log(_UNSEEN / total)
    return found


def function_words(language: str) -> set[str]:
    """The words of a language's table that carry no content, folded."""
    table = lexicon(language)
    phrases = [*table.stop]
    phrases += [p for kind in table.question.values() for p in kind]
    phrases += [p for kind in table.conversation.values() for p in kind]
    return {word for phrase in phrases for word in split_words(fold(phrase))}


def _by_word(words: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for language, of_language in words.items():
        for word in of_language:
            found.setdefault(word, set()).add(language)
    return {word: frozenset(languages) for word, languages in found.items()}


@cache
def _written() -> dict[str, frozenset[str]]:
    """Words as they stand, and as people write them in Latin letters -> the languages that have them."""
    return _by_word(
        {
            table.language: function_words(table.language)
            | table.romanised
            | _names_of_languages(table.language)
            for table in all_lexicons()
        }
    )


def _names_of_languages(language: str) -> set[str]:
    """What a language calls those that have a table, in one word: "engelska" is Swedish (CLDR)."""
    names = Locale.parse(language).languages
    called = (fold(names.get(table.language, "")) for table in all_lexicons())
    return {name for name in called if len(split_words(name)) == 1}


@cache
def _plain() -> dict[str, frozenset[str]]:
    """Words without their diacritics."""
    return _by_word(
        {
            table.language: {without_marks(w) for w in function_words(table.language)}
            for table in all_lexicons()
        }
    )


@cache
def _heard() -> dict[str, frozenset[str]]:
    """What is heard of words of other scripts, with and without the vowels that those leave out."""
    words = {
        table.language: {
            heard.replace(".", vowel) + end
            for word in function_words(table.language)
            if (heard := sound(word, table.language).heard) and len(heard) > 2
            for vowel in ("", "a")
            for end in ("", "a")
        }
        for table in all_lexicons()
        if table.romanised
    }
    return _by_word(words)


@cache
def _shapes() -> dict[str, regex.Pattern[str]]:
    return {table.language: regex.compile(table.bare_word) for table in all_lexicons() if table.bare_word}
