"""Joins amounts that are one: the ends of a range, a part and its whole, a date and its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import regex

from index.language.amount import Amount
from index.language.codes import folded_code
from index.language.quantity_words import BEFORE, QuantityWords

_HYPHEN = regex.compile(r"[-–—−]\Z")  # without spaces
_HOUR = regex.compile(r"(?:[01]?\d|2[0-4])(?:[.][0-5]\d)?")
_SIZES = frozenset({"count", "money", "share", "duration", "measure"})
# How much text may lie between what is joined, in code points.
_GAP = 60
_HOURS, _MONTH = 24, 31

Join = Callable[[str, Amount, Amount, QuantityWords], Amount | None]


def joined(plain: str, amounts: Sequence[Amount], words: QuantityWords) -> list[Amount]:
    """The amounts in order with those joined that are one: dates to times first, then ranges, then parts."""
    found = list(amounts)
    for join in (_moment, _range, _part):
        found = _pairwise(plain, found, words, join)
    return found


def _pairwise(plain: str, amounts: Sequence[Amount], words: QuantityWords, join: Join) -> list[Amount]:
    found: list[Amount] = []
    for amount in amounts:
        last = found[-1] if found else None
        if last is not None and 0 <= amount.start - last.full_end <= _GAP:
            both = join(plain, last, amount, words)
            if both is not None:
                found[-1] = both
                continue
        found.append(amount)
    return found


def _moment(plain: str, first: Amount, second: Amount, words: QuantityWords) -> Amount | None:
    """A date and a time of day, in either order."""
    if {first.kind, second.kind} != {"date", "time"} or first.weak or second.weak:
        return None
    if not words.moment.fullmatch(plain, first.full_end, second.start):
        return None
    return replace(first, kind="time", end=second.end, full_end=second.full_end,
                   days=first.days or second.days, minutes=first.minutes or second.minutes)  # fmt: skip


def _range(plain: str, first: Amount, second: Amount, words: QuantityWords) -> Amount | None:
    if second.weak or {first.form, second.form} != {"one"}:
        return None
    gap = plain[first.full_end : second.start]
    if words.to.fullmatch(gap):
        return _from_to(plain, first, second, words, hyphen=_HYPHEN.match(gap) is not None)
    before = plain[max(0, first.start - BEFORE) : first.start]
    if words.and_between.fullmatch(gap) and words.between_before.match(before):
        both = _from_to(plain, first, second, words, hyphen=False)
        if both is not None:
            both.shown = f"{first.number(plain)}-{second.number(plain)}"
        return both
    return None


def _from_to(
    plain: str, first: Amount, second: Amount, words: QuantityWords, *, hyphen: bool
) -> Amount | None:
    if {first.kind, second.kind} & {"time"} or _are_hours(plain, first, second, words):
        return _times(first, second)
    if first.bare_year and second.bare_year:
        return _dates(first, second)
    if "date" in {first.kind, second.kind} and not (first.bare_year or second.bare_year):
        return _dates(first, second)
    return _sizes(plain, _counted(first), _counted(second), hyphen=hyphen)


def _are_hours(plain: str, first: Amount, second: Amount, words: QuantityWords) -> bool:
    """Whether two figures are hours with a point before the minutes: "mån-fre 9-16.30"."""
    if {first.kind, second.kind} != {"count"} or second.full_end > second.end:
        return False
    written = [plain[amount.start : amount.end] for amount in (first, second)]
    if not all(map(_HOUR.fullmatch, written)) or not any("." in figure for figure in written):
        return False
    if words.weekday_before.match(plain[max(0, first.start - BEFORE) : first.start]):
        return True
    return words.comma_is_decimal and all("." in figure for figure in written)


def _counted(amount: Amount) -> Amount:
    """Four digits that are no year after all."""
    return replace(amount, kind="count", days=(), bare_year=False) if amount.bare_year else amount


def _spanning(first: Amount, second: Amount) -> Amount:
    return replace(
        second,
        start=first.start,
        form="range",
        weak=False,
        in_words=first.in_words or second.in_words,
        bare_year=False,
        shown="",
    )


def _times(first: Amount, second: Amount) -> Amount | None:
    ends = [_minutes(amount) for amount in (first, second)]
    if not all(ends) or (first.days and not second.days and second.kind != "time"):
        return None
    both = _spanning(first, second)
    days = (*first.days[:1], *second.days[:1]) if first.days or second.days else ()
    return replace(
        both, kind="time", minutes=(ends[0][0], ends[1][0]), days=days, values=(), unit="", in_words=False
    )


def _minutes(amount: Amount) -> tuple[int, ...]:
    """The time of day that an amount is, or may be beside another: "9-16:30"."""
    if amount.kind == "time":
        return amount.minutes
    hour = amount.values[0] if amount.kind == "count" and amount.values and not amount.in_words else -1
    if not 0 <= hour <= _HOURS or amount.scaled:
        return ()
    minutes = round(hour % 1 * 100)
    return (int(hour) * 60 + minutes,) if minutes < 60 else ()


def _dates(first: Amount, second: Amount) -> Amount | None:
    """From one day to another; what the first leaves out, the second says."""
    if second.kind != "date" or not second.days:
        return None
    until = second.days[0]
    if first.kind == "date" and first.days:
        since = first.days[0]
    elif first.kind == "count" and first.values and first.values[0] in range(1, _MONTH + 1) and until.day:
        since = replace(until, day=int(first.values[0]))
    else:
        return None
    if since.month and not since.year:
        since = replace(since, year=until.year)
    return replace(_spanning(first, second), kind="date", days=(since, until), values=(), in_words=False)


def _sizes(plain: str, first: Amount, second: Amount, *, hyphen: bool) -> Amount | None:
    if not {first.kind, second.kind} <= _SIZES or not first.values or not second.values:
        return None
    alike = first.kind in {second.kind, "count"} or (second.kind == "count" and first.kind == "money")
    if not alike or (first.unit and second.unit and first.kind != second.kind):
        return None
    low, high = first.values[0], second.values[0]
    if second.scaled and not first.scaled and low <= second.first and second.first:
        low *= high / second.first  # "3 to 5 million"
    both = _spanning(first, second)
    if low <= high:
        kind = first.kind if second.kind == "count" else second.kind
        shown = f"{first.number(plain)}-{second.number(plain)}" if both.in_words else ""
        return replace(both, kind=kind, values=(low, high), unit=second.unit, shown=shown)
    if hyphen and not (first.in_words or second.in_words or first.unit or second.unit):
        code = folded_code(plain[both.start : both.end])  # "118-45"
        return replace(both, kind="code", form="one", code=code, values=())
    return None


def _part(plain: str, first: Amount, second: Amount, words: QuantityWords) -> Amount | None:
    """A part of a whole: "51 of 88", and the whole first."""
    gap = plain[first.full_end : second.start]
    if words.part_of.fullmatch(gap) or (
        first.in_words and second.in_words and words.part_of_in_words.fullmatch(gap)
    ):
        part, whole = first, second
    elif words.whole_of.fullmatch(gap) or words.whole_of.fullmatch(plain[first.end : second.start]):
        part, whole = second, first
    else:
        return None
    if part.kind != "count" or whole.kind not in {"count", "money", "measure"} or whole.weak:
        return None
    if {part.form, whole.form} != {"one"} or not part.values or not part.values[0] <= whole.values[0]:
        return None
    return replace(
        _spanning(first, second),
        kind="part",
        form="part",
        values=(part.values[0], whole.values[0]),
        unit=whole.unit,
        in_words=part.in_words and whole.in_words,
        shown=f"{part.number(plain)}/{whole.number(plain)}",
    )
