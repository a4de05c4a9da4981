"""Whether two texts, in any languages, say the same with their numbers, dates and codes.

stands_in(quantity, held)   whether one of the quantities of a text says what a claim's says
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import regex

from index.language.dates import Day
from index.language.quantities import Quantity

_LOWER, _UPPER = frozenset({">", ">="}), frozenset({"<", "<="})
_HALF_A_DAY = 720


def stands_in(quantity: Quantity, held: Sequence[Quantity]) -> bool:
    """Whether one of `held` says the same: a year is held by a full date, "1.2 million" by 1,200,000, a rounded number
    only where it is said to be about so much, both ends of a range by numbers apart. What is weak always stands.

    `held`: with what is weak (`find_quantities(..., weak=True)`).
    """
    if quantity.weak or any(_holds(other, quantity) for other in held):
        return True
    if quantity.form == "range" and quantity.days and not quantity.minutes:
        return all(any(day.agrees(other) for each in held for other in each.days) for day in quantity.days)
    if quantity.form != "one" and quantity.values:
        return all(_number_stands(value, held) for value in quantity.values)
    if quantity.minutes and (quantity.days or quantity.form == "range"):
        return _moments_stand(quantity, held)
    return bool(quantity.days) and any(_in_parts(day, held) for day in quantity.days)


def _holds(other: Quantity, mine: Quantity) -> bool:
    if mine.code:
        if mine.values and other.values and not other.code and _same_size(mine, other):
            return True
        return bool(other.code) and _same_code(mine.code, other.code)
    if mine.minutes:
        return _time_held(mine, other)
    if mine.kind == "date":
        return _date_held(mine, other)
    if mine.form == "part":
        days = any(day.agrees(held) for day in mine.days for held in other.days)
        return days or (other.form == "part" and mine.values == other.values)
    return _number_held(mine, other)


def _date_held(mine: Quantity, other: Quantity) -> bool:
    if mine.form == "range":
        return (
            other.form == "range"
            and len(other.days) == 2
            and all(day.agrees(held) for day, held in zip(mine.days, other.days, strict=True))
        )
    if any(day.agrees(held) for day in mine.days for held in other.days):
        return True
    # Four digits may be a year in one text and a number in another.
    return bool(mine.values) and not other.days and _number_held(mine, other)


def _time_held(mine: Quantity, other: Quantity) -> bool:
    if mine.days and other.days and not any(day.agrees(held) for day in mine.days for held in other.days):
        return False
    if mine.days and not other.days:
        return False
    if other.minutes:
        return all(any(_same_time(time, held) for held in other.minutes) for time in mine.minutes)
    hours = {float(time // 60) for time in mine.minutes if not time % 60}
    return len(hours) == len(mine.minutes) and other.kind == "count" and hours <= set(other.values)


def _moments_stand(mine: Quantity, held: Sequence[Quantity]) -> bool:
    """Whether the days and the times of one quantity stand apart."""
    days = all(any(day.agrees(other) for each in held for other in each.days) for day in mine.days)
    return days and all(
        any(_same_time(time, other) for each in held for other in each.minutes) for time in mine.minutes
    )


def _same_time(mine: int, other: int) -> bool:
    """Whether two times may be one: before or after noon is not always said."""
    early = min(mine, other) < _HALF_A_DAY
    return mine == other or (early and abs(mine - other) == _HALF_A_DAY)


def _number_held(mine: Quantity, other: Quantity) -> bool:
    share = mine.kind == "share"
    if other.form == "part":
        return not share and any(value in other.values for value in mine.values)
    if other.minutes or other.kind == "date":
        parts = {part for day in other.days for part in (day.year, day.month, day.day)}
        parts |= {minutes // 60 for minutes in other.minutes} | {minutes % 60 for minutes in other.minutes}
        return not share and (any(value in parts for value in mine.values) or _same_size(mine, other))
    if other.code:
        return not share and any(
            value in {float(run) for run in regex.findall(r"\d{1,15}", other.code)} for value in mine.values
        )
    same_unit = not share or other.kind == "share" or other.share_unknown
    if mine.form == "range" and (other.form != "range" or mine.values != other.values):
        return False
    return same_unit and not _opposed(mine.bound, other.bound) and _same_size(mine, other)


def _same_size(mine: Quantity, other: Quantity) -> bool:
    return any(
        math.isclose(value, theirs, rel_tol=1e-9) or (mine.bound == "~" and _rounds_to(theirs, value))
        for value in mine.values
        for theirs in other.values
    )


def _rounds_to(exact: float, rounded: float) -> bool:
    """Whether a number rounds to one with fewer digits: 1,234,567 to 1,200,000."""
    if not rounded or not math.isfinite(rounded):
        return False
    place = 0
    while place < 15 and rounded % 10.0 ** (place + 1) == 0:
        place += 1
    return abs(exact - rounded) <= 0.5 * 10.0**place


def _opposed(bound: str, other: str) -> bool:
    return (bound in _LOWER and other in _UPPER) or (bound in _UPPER and other in _LOWER)


def _number_stands(value: float, held: Sequence[Quantity]) -> bool:
    bare = Quantity(0, 0, "", "", "count", values=(value,))
    return any(not each.days and not each.minutes and _number_held(bare, each) for each in held)


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


def _in_parts(day: Day, held: Sequence[Quantity]) -> bool:
    """Whether day and month stand in one date, and the year somewhere."""
    if day.year is None or (day.month is None and day.day is None):
        return False
    rest = Day(None, day.month, day.day)
    dated = any(rest.agrees(other) and other.year in {None, day.year} for each in held for other in each.days)
    return dated and (
        any(Day(day.year, None, None).agrees(other) for each in held for other in each.days)
        or _number_stands(float(day.year), held)
    )
