"""Names that languages have words of their own for: countries, continents, languages, and what is called after them.

"Sydafrika" is दक्षिण अफ़्रीका, and "IPCC" may be spelt out: that a text of another language lacks such a name tells
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import combinations

from babel import Locale
from babel.core import UnknownLocaleError

from index.language.lexicon import languages, lexicon
from index.language.terms import fold, split_words, without_ending


def may_be_another_word(name: Sequence[str], language: str) -> bool:
    """Whether another language may have another word for a name: it holds one of CLDR's, or it is an abbreviation."""
    if any((word.isupper() and len(word) > 1) or says_nothing_alone(word, language) for word in name):
        return True
    words, known = [fold(word) for word in name], _of_cldr(language)
    return any(tuple(words[start:end]) in known for start, end in combinations(range(len(words) + 1), 2))


def says_nothing_alone(word: str, language: str) -> bool:
    """Whether a word with a capital only says where something belongs ("Indian"), or joins or opens a sentence."""
    if language not in languages():
        return False
    table, folded = lexicon(language), fold(word)
    return folded.endswith(table.adjectives) or folded in table.stop or folded in table.before_names


def is_calendar_word(word: str, language: str) -> bool:
    """Whether a word with a capital is a day of the week or a month, with an ending maybe ("Sundays")."""
    bare = without_ending(fold(word), lexicon(language).endings) if language in languages() else fold(word)
    return not {fold(word), bare}.isdisjoint(_calendar(language))


@cache
def _calendar(language: str) -> frozenset[str]:
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return frozenset()
    names = [*locale.months["format"]["wide"].values(), *locale.days["format"]["wide"].values()]
    return frozenset(map(fold, names))


@cache
def _of_cldr(language: str) -> frozenset[tuple[str, ...]]:
    """The folded words of CLDR's territories, languages, months and days, as the language calls them."""
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return frozenset()
    names = [*locale.territories.values(), *locale.languages.values()]
    names += [*locale.months["format"]["wide"].values(), *locale.days["format"]["wide"].values()]
    return frozenset(tuple(fold(word) for word in split_words(name)) for name in names)
