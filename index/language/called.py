"""Names of languages: in other languages, from CLDR, and found in what people say."""

from __future__ import annotations

from functools import cache

import regex
from babel import Locale
from babel.core import UnknownLocaleError

from index.language.lexicon import languages, lexicon
from index.language.short_texts import without_marks
from index.language.terms import fold

# A shorter name may stand in any word ("Anh", "Ao").
_SHORTEST = 4


@cache
def language_name(code: str, *, shown_in: str = "en") -> str:
    """A language's name in another language (ISO 639-1 codes), or the code itself where CLDR has none."""
    try:
        locale = Locale.parse(shown_in, sep="-")
    except (UnknownLocaleError, ValueError, TypeError):
        locale = Locale("en")
    return str(locale.languages.get(code, code))


def is_language(code: str) -> bool:
    """Whether CLDR knows a language by this code."""
    return code in Locale("en").languages


def named_language(text: str, *, among: frozenset[str] = frozenset()) -> str | None:
    """The language that a text names, in any language that has a table, of those with a table and `among`; or None.

    Of several the one named last: "not in Hindi, in English".
    """
    folded = without_marks(fold(text))
    found = {
        code: match.start()
        for code in sorted({*languages(), *among})
        if (pattern := _pattern(code)) is not None
        for match in pattern.finditer(folded)
    }
    return max(found, key=lambda code: found[code]) if found else None


@cache
def _pattern(code: str) -> regex.Pattern[str] | None:
    """Where a name of a language begins a word; endings may follow it ("ইংরেজিতে")."""
    names = {language_name(code, shown_in=other) for other in languages()} - {code}
    if code in languages():
        names |= {lexicon(code).name, *lexicon(code).called}
    known = {without_marks(fold(name)) for name in names}
    parts = [regex.escape(name) for name in sorted(known) if len(name) >= _SHORTEST]
    return regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{'|'.join(parts)})") if parts else None
