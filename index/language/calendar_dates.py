"""Dates of a text as year, month and day, by the month names of CLDR and the spellings in `index/language/tables`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import regex
from babel.core import UnknownLocaleError
from babel.dates import get_month_names

from index.language.lexicon import languages, lexicon
from index.language.terms import fold_digits

# A shorter month name alone is often another word ("May", "mars", "মে").
_TELLING = 6


@dataclass(frozen=True, slots=True)
class Day:
    """A date, or the part of one that is written: None is not written."""

    year: int | None
    month: int | None
    day: int | None

    def agrees(self, other: Day) -> bool:
        """Whether `other` holds everything that this says."""
        return all(
            mine is None or mine == theirs
            for mine, theirs in (
                (self.year, other.year),
                (self.month, other.month),
                (self.day, other.day),
            )
        )


@dataclass(frozen=True, slots=True)
class Date:
    """A date at code points `start`..`end`: `readings` are the days it may mean ("10/11/2025": two).

    `weak`: a short month name alone, which may be another word.
    """

    start: int
    end: int
    readings: tuple[Day, ...]
    weak: bool = False


_NUMERIC = regex.compile(
    r"""(?<![\d.,/-])(?:
        (?P<day>\d{1,2})\s?(?P<mark>[/.-])\s?(?P<month>\d{1,2})\s?(?P=mark)\s?(?P<year>\d{4})
      | (?P<iyear>\d{4})-(?P<imonth>\d{1,2})-(?P<iday>\d{1,2})
      | (?P<mmonth>0?[1-9]|1[0-2])/(?P<myear>(?:1\d|20)\d\d)
    )(?![\d/])""",
    regex.VERBOSE,
)


def find_dates(plain: str, language: str) -> list[Date]:
    """The dates of a text in order, without overlap: those with a month name, then those in digits alone.

    Args:
        plain: a text with ASCII digits (`fold_digits`).
        language: of the text; where CLDR does not know it, only dates in digits are found.
    """
    found: list[Date] = []
    for date in (*_named(plain, language), *_numeric(plain)):
        if not any(date.start < other.end and other.start < date.end for other in found):
            found.append(date)
    return sorted(found, key=lambda date: date.start)


def _numeric(plain: str) -> list[Date]:
    found = []
    for match in _NUMERIC.finditer(plain):
        if match["mmonth"]:
            readings = [Day(int(match["myear"]), int(match["mmonth"]), None)]
        elif match["iyear"]:
            readings = [Day(int(match["iyear"]), int(match["imonth"]), int(match["iday"]))]
        else:
            first, second, year = int(match["day"]), int(match["month"]), int(match["year"])
            # Day first in most of the world, month first in the United States.
            readings = [Day(year, second, first), Day(year, first, second)]
        readings = [day for day in dict.fromkeys(readings) if _possible(day)]
        if readings:
            found.append(Date(match.start(), match.end(), tuple(readings)))
    return found


def _possible(day: Day) -> bool:
    return 1 <= (day.month or 1) <= 12 and 1 <= (day.day or 1) <= 31


def _named(plain: str, language: str) -> list[Date]:
    names = _month_names(language)
    if not names:
        return []
    found = []
    for match in _named_pattern(language).finditer(plain):
        written = match["month"].casefold()
        while written not in names:
            written = written[:-1]  # a glued ending
        day, year = match["before"] or match["after"], match["year"]
        date = Day(int(year) if year else None, names[written], int(day) if day else None)
        if day or year:
            if _possible(date):
                found.append(Date(match.start(), match.end(), (date,)))
        elif not match["month"].endswith(".") and written in _wide_names(language):
            found.append(Date(match.start(), match.end(), (date,), weak=len(written) < _TELLING))
    return found


@cache
def _month_names(language: str) -> Mapping[str, int]:
    """Every spelling of a month -> its number, case folded; empty where CLDR has no such language."""
    names = dict(_wide_names(language))
    try:
        for context in ("format", "stand-alone"):
            names.update(_folded(get_month_names("abbreviated", context=context, locale=language)))
    except (UnknownLocaleError, ValueError):
        return {}
    return {name: month for name, month in names.items() if len(name) > 1}


@cache
def _wide_names(language: str) -> Mapping[str, int]:
    names: dict[str, int] = {}
    try:
        for context in ("format", "stand-alone"):
            names.update(_folded(get_month_names("wide", context=context, locale=language)))
    except (UnknownLocaleError, ValueError):
        return {}
    if language in languages():
        names.update(lexicon(language).numbers.months)
    return names


def _folded(table: Mapping[int, str]) -> dict[str, int]:
    return {fold_digits(name).casefold().rstrip(".॰"): month for month, name in table.items()}


@cache
def _named_pattern(language: str) -> regex.Pattern[str]:
    names = _month_names(language)
    # Case endings are glued to the longer names ("অক্টোবরের"); a short one would become another word.
    ending = r"[\p{Bengali}\p{Devanagari}]{0,3}"
    month = "|".join(
        regex.escape(name) + (ending if len(name) >= _TELLING and not name[-1].isascii() else "")
        for name in sorted(names, key=len, reverse=True)
    )
    day, edge = r"(?:[0-2]?\d|3[01])", r"(?![\p{L}\p{M}\d])"
    return regex.compile(
        rf"""(?<![\p{{L}}\p{{M}}\d])(?:
            (?P<before>{day})(?:\.|:?\p{{Latin}}{{1,2}}|-?[\p{{Bengali}}\p{{Devanagari}}]{{1,3}})?\s+(?:of\s+)?)?
            (?P<month>(?:{month})){edge}[.॰]?
            (?:\s+(?P<after>{day})(?:st|nd|rd|th|-?[\p{{Bengali}}\p{{Devanagari}}]{{1,3}})?(?![\d\p{{L}}/:]|[.,]\d))?
            (?:(?:,?\s+(?:\p{{L}}{{2,3}}\s+)?|\s?/\s?)(?P<year>(?:1\d|20)\d\d)(?!\d|[.,]\d))?""",
        regex.VERBOSE | regex.IGNORECASE,
    )
