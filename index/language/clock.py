"""Times of day: "9:30", "kl. 16", "4 pm", "20 giờ 15", by the words of `index/language/tables`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

import regex

from index.language.lexicon import languages, lexicon


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day at code points `start`..`end`; `minutes` since midnight."""

    start: int
    end: int
    minutes: int


def find_times(plain: str, language: str) -> list[Clock]:
    """The times of a text with ASCII digits, in order."""
    found = []
    for match in _pattern(language).finditer(plain):
        minutes = _minutes(match, plain, language)
        if minutes is not None:
            opening = next((name for name in ("lead", "early") if match[name]), "h")
            found.append(Clock(match.start(opening), match.end(), minutes))
    return found


def _minutes(match: regex.Match[str], plain: str, language: str) -> int | None:
    """The time that was found; None when it is something else, such as a length of time."""
    hour = int(match["h"])
    minute = int(match["m"] or match["m2"] or 0)
    if hour > 24 or minute > 59:
        return None
    clear = match["colon"] or match["lead"] or match["tail"]
    # "20 hours" is as often a length of time as a time of day.
    told = match["hour"] and (
        match["near"]
        or match["early"]
        or match["part"]
        or match["m2"]
        or _dated(plain, match.end(), language)
    )
    if not (clear or told):
        return None
    words = " ".join(filter(None, (match["early"], match["tail"], match["part"]))).lower()
    after_noon = any(word in words for word in _words(language, "clock_pm"))
    return (hour + 12 if after_noon and hour < 12 else hour) * 60 + minute


def _dated(plain: str, end: int, language: str) -> bool:
    return _date_ahead(language).match(plain, end) is not None


@cache
def _date_ahead(language: str) -> regex.Pattern[str]:
    return regex.compile(rf",?\s(?:{_any(_words(language, 'clock_date'))})\s\d", regex.IGNORECASE)


def _words(language: str, kind: str) -> tuple[str, ...]:
    if language not in languages():
        return ()
    return tuple(unicodedata.normalize("NFC", word) for word in lexicon(language).quantity[kind])


def _any(words: tuple[str, ...]) -> str:
    escaped = sorted((regex.escape(word, special_only=True) for word in words), key=len, reverse=True)
    return "|".join(escaped) if escaped else "(?!)"


@cache
def _pattern(language: str) -> regex.Pattern[str]:
    edge = r"(?![\p{L}\p{M}])"
    near, part = _any(_words(language, "clock_near")), _any(_words(language, "clock_part"))
    gap = r"[ \u00a0\u202f]?"
    return regex.compile(
        rf"""(?:(?<![\p{{L}}\p{{M}}])(?:(?P<lead>{_any(_words(language, "clock_before"))})|(?P<near>{near})
            |(?P<early>{part})){gap})?
        (?:(?<=\dT)|(?<![\p{{L}}\p{{M}}\d]|\d[.,:/]))(?P<h>[01]?\d|2[0-4])
        (?: (?P<colon>:)(?P<m>[0-5]\d)(?::[0-5]\d)? | (?P<colon>h)(?P<m>[0-5]\d)?(?![\p{{L}}\d])
          | (?<=(?P<dotted>[ .]\d{{1,2}}))\.(?P<m>[0-5]\d)(?![.,]?\d) )?
        (?![:]?\d)
        (?: {gap}(?P<hour>{_any(_words(language, "clock_hour"))}){edge}
            (?: [ ](?P<m2>[0-5]?\d)(?![.,:/]?\d)(?:{gap}(?:{_any(_words(language, "clock_minute"))}){edge})? )? )?
        (?: {gap}(?P<tail>{_any(_words(language, "clock_after"))}){edge}
          | [ ](?P<part>{part}){edge} )?""",
        regex.IGNORECASE | regex.VERBOSE,
    )
