"""Dates of a text as year, month and day, by the month names of CLDR and the spellings in `index/language/tables`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import regex
from babel import Locale
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

    `until`: the last day of a span ("2021-2025"), else None. `weak`: a short month name alone, which may be another
    word.
    """

    start: int
    end: int
    readings: tuple[Day, ...]
    weak: bool = False
    until: Day | None = None


_YEAR = r"(?:1[1-9]|20)\d\d"
_NUMERIC = regex.compile(
    rf"""(?<![\d,/-]|\d\.)(?:
        (?P<day>\d{{1,2}})\s?(?P<mark>[/.-])\s?(?P<month>\d{{1,2}})\s?(?P=mark)\s?(?P<year>\d{{4}})
      | (?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/(?P<year>\d\d)
      | (?P<iyear>\d{{4}})-(?P<imonth>\d{{1,2}})-(?P<iday>\d{{1,2}})
      | (?P<from>{_YEAR})\s?[-–/]\s?(?P<to>{_YEAR}|\d\d)
      | (?P<iyear>{_YEAR})-(?P<imonth>0[1-9]|1[0-2])
      | (?P<mmonth>0?[1-9]|1[0-2])/(?P<myear>{_YEAR})
    )(?!\d|[/.,-]\d)""",
    regex.VERBOSE,
)


def find_dates(plain: str, language: str) -> list[Date]:
    """The dates of a text in order, without overlap: those with a month name, then those in digits alone.

    Args:
        plain: a text with ASCII digits (`fold_digits`).
        language: of the text; where CLDR does not know it, only dates in digits are found.
    """
    found: list[Date] = []
    occupied = bytearray(len(plain))
    for date in (*_named(plain, language), *_numeric(plain, language)):
        if not any(occupied[date.start : date.end]):
            occupied[date.start : date.end] = b"\1" * (date.end - date.start)
            found.append(date)
    return sorted(found, key=lambda date: date.start)


def _numeric(plain: str, language: str) -> list[Date]:
    found = []
    for match in _NUMERIC.finditer(plain):
        until = None
        if match["mmonth"]:
            readings = [Day(int(match["myear"]), int(match["mmonth"]), None)]
        elif match["from"]:
            first, last = int(match["from"]), int(match["to"])
            if last < 100 and last == (first + 1) % 100:  # a year of accounts or of school
                last = first + 1
            if last < first:
                iso = 1 <= last <= 12 and match["to"].isdecimal() and "-" in match.group()
                readings = [Day(first, last, None)] if iso else []
            else:
                readings, until = [Day(first, None, None)], Day(last, None, None)
        elif match["iyear"]:
            day = match["iday"]
            readings = [Day(int(match["iyear"]), int(match["imonth"]), int(day) if day else None)]
        else:
            year = _century(match["year"])
            readings = list(possible_days(int(match["day"]), int(match["month"]), year, language))
        readings = [day for day in readings if _possible(day)]
        if readings:
            found.append(Date(match.start(), match.end(), tuple(readings), until=until))
    return found


def _century(year: str) -> int:
    return int(year) if len(year) > 2 else 2000 + int(year) if int(year) < 70 else 1900 + int(year)


def possible_days(first: int, second: int, year: int | None, language: str) -> tuple[Day, ...]:
    """The days that a date in digits may mean: as the language orders them; both where that may be month first."""
    day_first, month_first = Day(year, second, first), Day(year, first, second)
    if _month_leads(language) is False and _possible(day_first):
        return (day_first,)
    return tuple(day for day in dict.fromkeys((day_first, month_first)) if _possible(day))


@cache
def _month_leads(language: str) -> bool | None:
    """Whether a language writes the month before the day; None where CLDR has no such language."""
    try:
        pattern = Locale.parse(language).date_formats["short"].pattern
    except (UnknownLocaleError, ValueError, TypeError, KeyError):
        return None
    return bool(pattern.lower().find("m") < pattern.lower().find("d") and not pattern.lower().startswith("y"))


def _possible(day: Day) -> bool:
    month, number = (1 if part is None else part for part in (day.month, day.day))
    return 1 <= month <= 12 and 1 <= number <= 31


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
        until = Day(date.year, date.month, int(match["until"])) if match["until"] else None
        if day or year:
            if _possible(date):
                found.append(Date(match.start(), match.end(), (date,), until=until))
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
            (?:\s+(?P<after>{day})(?:st|nd|rd|th|-?[\p{{Bengali}}\p{{Devanagari}}]{{1,3}})?(?:\s?[-–]\s?(?P<until>{day}))?(?![\d\p{{L}}/:]|[.,]\d))?
            (?:(?:,?\s+(?:\p{{L}}{{2,3}}\s+)?|\s?/\s?)(?P<year>(?:1\d|20)\d\d)(?!\d|[.,]\d))?""",
        regex.VERBOSE | regex.IGNORECASE,
    )
