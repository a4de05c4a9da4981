"""The facts of a text that can be compared across languages: numbers, dates, ratios and codes.

facts_in(text, language)   every fact of a text in a comparable form
stands_in(fact, facts)     whether one of the facts says the same
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import regex

from index.language.calendar_dates import Day, find_dates
from index.language.lexicon import languages
from index.language.number_words import Numeral, numerals
from index.language.quantities import bound_of, is_percent
from index.language.terms import fold, fold_digits

FactKind = Literal["number", "date", "ratio", "code"]
Spans = list[tuple[int, int]]

_PART = r"[\p{L}\p{M}\d]"
_CODE = regex.compile(
    rf"""(?<!{_PART}|\d[-/.,])(?:
        \d+(?:[-/]\d+)*[-/](?:\p{{Lu}}{{2,}}|[\p{{L}}\p{{M}}]+[-/][\p{{L}}\p{{M}}]){_PART}*(?:[-/]{_PART}+)*  # 57-NQ/TW
      | \p{{Lu}}+(?:[-/]?\d+)+(?:[-/]?\p{{Lu}}+\d*)*(?!{_PART})                                         # H5N1, GPT-4
      | (?P<loose>(?:[\p{{L}}\p{{M}}]{{2,}}-|\p{{Lu}}+[ ])\d+(?!{_PART}|[.,]\d))  # कोविड-19, CO 2
    )""",
    regex.VERBOSE,
)
_RATIO = regex.compile(r"(?<![\d.,/])(\d+)\s?/\s?(\d+)(?![\d/]|[.,]\d)")
_ROMAN = regex.compile(r"(?<![\p{L}\p{M}\d])(?=[IVXLC]{2})L?X{0,3}(?:IX|IV|V?I{0,3})(?![\p{L}\p{M}\d])")
_RANGE_GAP = regex.compile(r"\s?[-–—]\s?")
_PERCENT = regex.compile(r"\s?[%٪％]")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50}
_TO = regex.compile(r"\s[\p{L}\p{M}]{1,6}\s")


@dataclass(frozen=True, slots=True)
class Fact:
    """One number, date, ratio or code.

    Attributes:
        start, end: its code points in the text; `text` is what stands there.
        values: the sizes a number may have (the first end of "3-5 million": two), or both parts of a ratio.
        days: the days a date may mean; a ratio may be a day and a month.
        code: letters and digits of a code, folded.
        share: whether a number is a percentage; None when it cannot be told.
        bound: "+" more than, ">=" at least, "<" less than, "~" about, or "".
        weak: it may be no fact, such as an article, an ordinal or a Roman numeral: never a claim of its own.
        in_words: a number without digits.
    """

    start: int
    end: int
    text: str
    kind: FactKind
    values: tuple[float, ...] = ()
    days: tuple[Day, ...] = ()
    code: str = ""
    share: bool | None = False
    bound: str = ""
    weak: bool = False
    in_words: bool = False


@lru_cache(maxsize=4096)  # the same passages are cited again and again
def facts_in(text: str, language: str) -> tuple[Fact, ...]:
    """The facts of a text in order.

    Args:
        text: normalised (NFC), as documents are.
        language: ISO 639-1; it decides month names and words for numbers. Without a table of its own, only digits
            count, and whether they are percentages is told by the sign alone.
    """
    plain = fold_digits(text)
    found = [
        Fact(date.start, date.end, text[date.start : date.end], "date", days=date.readings, weak=date.weak)
        for date in find_dates(plain, language)
    ]
    codes = _codes(plain, text, _spans(found))
    found += [code for code in codes if not code.weak]
    found += _ratios(plain, text, _spans(found))
    found += _numbers(plain, text, language, numerals(plain, language, taken=_spans(found)))
    # A loose code is a number with a name before it too.
    found += [code for code in codes if code.weak]
    found += _romans(text)
    return tuple(sorted(found, key=lambda fact: fact.start))


def stands_in(fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether one of `facts` says the same: a year is held by a full date, "1.2 million" by 1,200,000, a rounded
    number only where it is said to be about so much. What is weak always stands."""
    if fact.weak:
        return True
    if any(_holds(other, fact) for other in facts):
        return True
    if fact.kind == "ratio":
        return all(_number_stands(value, facts) for value in fact.values)
    return fact.kind == "date" and any(_in_parts(day, facts) for day in fact.days)


def _spans(facts: Iterable[Fact]) -> Spans:
    return [(fact.start, fact.end) for fact in facts]


def _overlaps(match: regex.Match[str], taken: Spans) -> bool:
    return any(start < match.end() and match.start() < end for start, end in taken)


def _codes(plain: str, text: str, taken: Spans) -> list[Fact]:
    return [
        Fact(
            match.start(),
            match.end(),
            text[match.start() : match.end()],
            "code",
            code=_folded(match.group()),
            weak=bool(match["loose"]),
        )
        for match in _CODE.finditer(plain)
        if not _overlaps(match, taken)
    ]


def _folded(code: str) -> str:
    return str(regex.sub(r"[^\p{L}\p{M}\d]", "", fold(code)))


def _ratios(plain: str, text: str, taken: Spans) -> list[Fact]:
    found = []
    for match in _RATIO.finditer(plain):
        if not _overlaps(match, taken):
            first, second = float(match[1]), float(match[2])
            days = [
                Day(None, int(month), int(day))
                for day, month in ((first, second), (second, first))
                if 1 <= day <= 31 and 1 <= month <= 12
            ]
            values = (first, second)
            shown = text[match.start() : match.end()]
            found.append(Fact(match.start(), match.end(), shown, "ratio", values=values, days=tuple(days)))
    return found


def _numbers(plain: str, text: str, language: str, numbers: Sequence[Numeral]) -> list[Fact]:
    shares = [_share(plain, number, language) for number in numbers]
    values: list[tuple[float, ...]] = [
        (number.value,) if number.also is None else (number.value, number.also) for number in numbers
    ]
    for position, (left, right) in reversed(list(enumerate(pairwise(numbers)))):
        gap = plain[left.end : right.start]
        if _RANGE_GAP.fullmatch(gap):
            shares[position] = shares[position] or shares[position + 1]
            factor = _scale_of(plain, right)
            values[position] = tuple(dict.fromkeys((*values[position], left.value * factor)))
        elif shares[position + 1] and not shares[position] and _TO.fullmatch(gap):
            shares[position] = None  # "20 to 25 percent"
    return [
        Fact(
            number.start,
            number.end,
            text[number.start : number.end],
            "number",
            values=sizes,
            share=share,
            bound=bound_of(plain, number.start, number.end, language),
            weak=number.weak,
            in_words=number.in_words,
        )
        for number, sizes, share in zip(numbers, values, shares, strict=True)
    ]


def _share(plain: str, number: Numeral, language: str) -> bool | None:
    if _PERCENT.match(plain, number.end) or is_percent(plain, number.start, number.end, language):
        return True
    return False if language in languages() else None


def _scale_of(plain: str, number: Numeral) -> float:
    """What the scale words of a number in digits multiply it by."""
    digits = regex.match(r"[\d.,]*\d", plain[number.start : number.end])
    if digits is None or not number.value:
        return 1.0
    bare = numerals(digits.group(), "und")
    return number.value / bare[0].value if bare and bare[0].value else 1.0


def _romans(text: str) -> list[Fact]:
    found = []
    for match in _ROMAN.finditer(text):
        digits = [_ROMAN_DIGITS[letter] for letter in match.group()]
        value = sum(-d if after > d else d for d, after in pairwise([*digits, 0]))
        found.append(
            Fact(match.start(), match.end(), match.group(), "number", values=(float(value),), weak=True)
        )
    return found


def _holds(other: Fact, fact: Fact) -> bool:
    if fact.kind == "number":
        return _number_held(fact, other)
    if fact.kind == "code":
        return other.kind == "code" and _same_code(fact.code, other.code)
    if any(day.agrees(held) for day in fact.days for held in other.days):
        return True
    return fact.kind == "ratio" and other.kind == "ratio" and fact.values == other.values


def _number_held(fact: Fact, other: Fact) -> bool:
    if other.kind == "number":
        same_unit = not fact.share or other.share is not False
        return same_unit and not _opposed(fact.bound, other.bound) and _same_size(fact, other)
    if fact.share:
        return False
    if other.kind == "ratio":
        return any(value in other.values for value in fact.values)
    if other.kind == "date":
        return any(value in {day.year, day.month, day.day} for value in fact.values for day in other.days)
    return any(value in {float(run) for run in regex.findall(r"\d+", other.code)} for value in fact.values)


def _same_size(fact: Fact, other: Fact) -> bool:
    return any(
        math.isclose(mine, theirs, rel_tol=1e-9) or (fact.bound == "~" and _rounds_to(theirs, mine))
        for mine in fact.values
        for theirs in other.values
    )


def _rounds_to(exact: float, rounded: float) -> bool:
    """Whether a number rounds to one with fewer digits: 1,234,567 to 1,200,000."""
    if not rounded:
        return False
    place = 0
    while place < 15 and rounded % 10.0 ** (place + 1) == 0:
        place += 1
    return abs(exact - rounded) <= 0.5 * 10.0**place


def _opposed(bound: str, other: str) -> bool:
    lower = {"+", ">="}
    return (bound in lower and other == "<") or (bound == "<" and other in lower)


def _number_stands(value: float, facts: Sequence[Fact]) -> bool:
    return any(fact.kind in {"number", "code"} and _number_held(_bare(value), fact) for fact in facts)


def _bare(value: float) -> Fact:
    return Fact(0, 0, "", "number", values=(value,))


def _same_code(mine: str, other: str) -> bool:
    """Whether two codes are the same; letters of another script may be a transliteration, their digits decide."""
    if mine == other:
        return True
    if _is_latin(mine) == _is_latin(other):
        return False
    digits: list[str] = regex.findall(r"\d+", mine)
    others: list[str] = regex.findall(r"\d+", other)
    return digits == others


def _is_latin(code: str) -> bool:
    return regex.search(r"\p{Latin}", code) is not None


def _in_parts(day: Day, facts: Sequence[Fact]) -> bool:
    """Whether day and month stand in one date, and the year somewhere."""
    if day.year is None or (day.month is None and day.day is None):
        return False
    rest = Day(None, day.month, day.day)
    dated = any(rest.agrees(held) and held.year in {None, day.year} for fact in facts for held in fact.days)
    return dated and _number_stands(float(day.year), facts)
