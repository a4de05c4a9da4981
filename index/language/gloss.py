"""A few words of one language as a reader of another can read them: numbers, dates, times, units, days, names.

Nothing is translated. What `find_quantities` reads in them is written as CLDR writes it in the reader's language, and
words of a script that the reader's language does not use are spelt in Latin letters, sign by sign.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, time
from functools import cache

import regex
from anyascii import anyascii
from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

from index.language.dates import Day
from index.language.lexicon import languages, lexicon
from index.language.quantities import Quantity, find_quantities
from index.language.quantity_words import DURATIONS, MEASURES, unit_names
from index.language.terms import fold, split_words
from index.types import UNDETERMINED

# More words are a sentence, which letters alone do not make readable. Chosen.
_MOST_WORDS = 6
_MARKS = {">=": "≥", "<=": "≤", "<": "<", "~": "~"}
_LEAP_YEAR = 2024
_OUTSIDE = " \t\u00a0\u202f≥≤<>~+.,;:()"
_INDIC = regex.compile(r"[\p{Devanagari}\p{Bengali}]")
_CONSONANT = regex.compile(r"[\u0915-\u0939\u0958-\u095f\u0995-\u09b9\u09dc-\u09df]\u093c?\u09bc?")
# What keeps a consonant without its own vowel: a vowel's sign or the mark for none; nothing is heard at a word's end.
_SIGN = regex.compile(r"[\u093e-\u094d\u09be-\u09cd\u0955-\u0957\u09d7]|[^\p{L}\p{M}]|$")
_SPELT = {"श": "sh", "ष": "sh", "শ": "sh", "ষ": "sh", "ফ": "f"}


def gloss_of(text: str, language: str, reader: str) -> str | None:
    """Return a short text as a reader can read it; None where that is how it stands already, or cannot be done.

    Args:
        text: a short answer, as `Quantity.short` writes numbers.
        language: ISO 639-1, of the text.
        reader: that of the reader; CLDR must have it.
    """
    if language == reader or _locale(reader) is None:
        return None
    found = _of_quantity(text, language, reader) or _of_day(text, language, reader) or _in_latin(text, reader)
    return None if found is None or fold(found) == fold(text) else found


def _of_quantity(text: str, language: str, reader: str) -> str | None:
    """A text that is one quantity."""
    quantities = find_quantities(text, language)
    if len(quantities) != 1:
        return None
    (quantity,) = quantities
    rest = (text[: quantity.start] + text[quantity.end :]).strip(_OUTSIDE)
    if (
        rest
        and rest != quantity.unit.strip(_OUTSIDE)
        and not (quantity.kind == "share" and not quantity.unit)
    ):
        return None
    if quantity.minutes or quantity.days:
        return _moment(quantity, reader)
    if quantity.code or quantity.kind == "telephone" or quantity.form == "part" or not quantity.values:
        return None
    if (quantity.form == "one" and len(quantity.values) > 1) or (
        quantity.kind == "money" and not quantity.unit
    ):
        return None
    return _amount(quantity, language, reader)


def _amount(quantity: Quantity, language: str, reader: str) -> str:
    if quantity.kind == "share" and quantity.form == "one":
        written = format_percent(
            quantity.values[0] / 100, locale=reader, decimal_quantization=False, numbering_system="latn"
        )
    else:
        numbers = [_number(value, reader) for value in quantity.values]
        written = "–".join(numbers)
        if quantity.unit:
            written = _with_unit(written, quantity.values[-1], quantity.unit, language, reader)
    more = "+" if quantity.bound == ">" else ""
    return f"{_MARKS.get(quantity.bound, '')}{written}{more}"


def _number(value: float, reader: str) -> str:
    return str(format_decimal(value, locale=reader, decimal_quantization=False, numbering_system="latn"))


def _with_unit(number: str, value: float, unit: str, language: str, reader: str) -> str:
    """A number with its unit in the reader's words; a unit that no table knows is spelt."""
    known = _units(language).get(_plain(unit))
    if known is not None:
        for length in ("long", "short"):
            one = str(format_unit(value, known, length, locale=reader, numbering_system="latn"))
            if known not in one:  # CLDR lacks some in some languages
                return one.replace(_rounded(value, reader), number)
    money = _currencies(language).get(_plain(unit))
    names = lexicon(reader).currencies.get(money or "", ()) if reader in languages() else ()
    return f"{number} {names[0] if names else spelt(unit) if _INDIC.search(unit) else unit}"


def _rounded(value: float, reader: str) -> str:
    """A number as `format_unit` writes it."""
    return str(format_decimal(value, locale=reader, numbering_system="latn"))


def _moment(quantity: Quantity, reader: str) -> str | None:
    days = list(dict.fromkeys(day_in(reader, day) for day in quantity.days[:2]))
    if quantity.form != "range" and not quantity.minutes:
        days = days[:1]  # what it may mean otherwise
    times = [format_time(time(m // 60 % 24, m % 60), "short", locale=reader) for m in quantity.minutes]
    parts = [" – ".join(days), " – ".join(times)]
    return ", ".join(filter(None, parts)) if all(days) else None


def day_in(reader: str, day: Day) -> str:
    """A day as a language writes it, as far as it is known; "" for what cannot be written."""
    if day.month is None:
        return str(day.year or "")
    locale = _locale(reader) or "en"
    try:
        whole = date(day.year or _LEAP_YEAR, day.month, day.day or 1)
    except ValueError:
        return ""
    if day.year and day.day:
        return str(format_date(whole, "long", locale=locale))
    skeleton = "yMMMM" if day.year else "MMMMd" if day.day else "MMMM"
    return str(format_skeleton(skeleton, whole, locale=locale))


def _of_day(text: str, language: str, reader: str) -> str | None:
    """A text that is the name of a day of the week or a month."""
    source, own = _locale(language), _locale(reader)
    if source is None or own is None:
        return None
    for names, written in ((source.days, own.days), (source.months, own.months)):
        for context in ("format", "stand-alone"):
            for key, name in names[context]["wide"].items():
                if _plain(name) == _plain(text):
                    return str(written["format"]["wide"][key])
    return None


def _in_latin(text: str, reader: str) -> str | None:
    """A few words without numbers in Latin letters, where the reader's language does not use theirs."""
    if len(split_words(text)) > _MOST_WORDS or regex.search(r"\p{N}", text):
        return None
    # The month's name in the reader's language shows which letters it uses.
    own, sign = _locale(reader), _INDIC.search(text)
    if own is None or sign is None or _script(sign[0]) == _script(own.months["format"]["wide"][1][0]):
        return None
    return spelt(text)


def spelt(text: str) -> str:
    """Words of an Indic script in Latin letters, sign by sign, each with a capital: "सुनीता वर्मा" is "Sunita Varma"."""
    return " ".join(_spelt(word).capitalize() for word in unicodedata.normalize("NFC", text).split())


def _spelt(word: str) -> str:
    parts, at = [], 0
    while at < len(word):
        consonant = _CONSONANT.match(word, at)
        end = consonant.end() if consonant else at + 1
        piece = word[at:end]
        parts.append(_SPELT.get(piece) or anyascii(piece))
        if consonant and not _SIGN.match(word, end):
            parts.append("a")
        at = end
    return "".join(parts).lower()


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@cache
def _units(language: str) -> Mapping[str, str]:
    """CLDR's units by how it writes them in a language."""
    own = _locale(language)
    return {} if own is None else unit_names(own, [*(f"duration-{each}" for each in DURATIONS), *MEASURES])


@cache
def _currencies(language: str) -> Mapping[str, str]:
    """What a language's words for money mean, by the names that the tables share."""
    if language not in languages():
        return {}
    return {_plain(word): name for name, words in lexicon(language).currencies.items() for word in words}


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.lower().split()))


@cache
def _locale(language: str) -> Locale | None:
    try:
        return None if language == UNDETERMINED else Locale.parse(language)
    except (UnknownLocaleError, ValueError, TypeError):
        return None
