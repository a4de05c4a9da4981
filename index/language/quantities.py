"""One grammar of numbers: amounts, bounds, ranges, parts of a whole, dates, times, shares, telephone numbers, codes.

find_quantities(text, language)   what the numbers of a text say
numbers_in(text, language)        the numbers that a question names, to be looked for
numbers_held(text, language)      every number that a text holds, to look in

The short answer, the verification of claims, the refusal and the evaluation all read numbers by it. What differs
between languages is in `index/language/tables`; `docs/numbers.md` tells what is decided where a writing is ambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import regex

from index.language.amount import Form, Kind
from index.language.amounts import find_amounts
from index.language.composed import with_offsets
from index.language.dates import Day
from index.language.digits import Habit, canonical, find_digits, habit_of
from index.language.quantity_words import Bound
from index.language.terms import fold_digits

_NAMES = frozenset({"code", "telephone"})
_WHEN = frozenset({"date", "time"})
_MOST_DIGITS = 400


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number, date, time or code of a text.

    Attributes:
        start, end: its code points in the text: the whole of a range, a part with its whole, a date with its time;
            with its currency sign and scale words, without its unit and bound. `text` is what stands there.
        short: it as a short answer: ASCII digits, with its unit and bound: "540+" (above), "≥3 years", "≤10", "<12",
            "~25%", "84/167", "45,000 đồng", "9:30-16:45".
        kind: what it is.
        form: "one"; "range": from the first to the second of `values`, `days` or `minutes`; "part": the first of
            `values` of the second.
        values: what it amounts to. Of one number the readings it may have: two where neither the language nor the
            text tells what "1.540" is, or what "1800-talet" counts; a share in percent; a year as a number.
        days: the days that a date may mean; of a range its first and last.
        minutes: times of day in minutes since midnight.
        code: letters and digits of a code or telephone number, folded.
        unit: what is counted in, as the text writes it: "đồng", "days", "°C"; "" without.
        bound: ">" "540 or so many more", ">=", "<", "<=", "~" about, or "".
        weak: it may be no number, such as an article, an ordinal or a Roman numeral.
        in_words: a number without digits.
        share_unknown: whether it is a percentage cannot be told, in a language without a table.
    """

    start: int
    end: int
    text: str
    short: str
    kind: Kind
    form: Form = "one"
    values: tuple[float, ...] = ()
    days: tuple[Day, ...] = ()
    minutes: tuple[int, ...] = ()
    code: str = ""
    unit: str = ""
    bound: Bound = ""
    weak: bool = False
    in_words: bool = False
    share_unknown: bool = False

    @property
    def value(self) -> float | None:
        """What one number amounts to, or the part of a whole; None for ranges, dates, times, codes, and for what has
        two readings."""
        if self.kind in _NAMES | _WHEN or self.form == "range" or not self.values:
            return None
        return self.values[0] if self.form == "part" or len(self.values) == 1 else None

    @property
    def whole(self) -> float | None:
        """What the part is of; None for everything else."""
        return self.values[1] if self.form == "part" else None

    @property
    def numbers(self) -> frozenset[str]:
        """Its numbers in plain ASCII digits, scale words applied ("1.2 million": 1200000): of a date its day and year,
        of a code its runs of digits."""
        if self.code:
            return frozenset(regex.findall(r"\d+", self.code))
        if self.days:
            days = self.days if self.form == "range" else self.days[:1]
            return frozenset(str(part) for day in days for part in (day.day, day.year) if part)
        if self.minutes:
            return frozenset(str(minutes // 60) for minutes in self.minutes)
        values = self.values if self.form != "one" else self.values[:1]
        return frozenset(canonical(value).lstrip("-") for value in values)

    @property
    def names(self) -> bool:
        """Whether it names something and answers no question for an amount: a code, a telephone number."""
        return self.kind in _NAMES

    @property
    def tells_when(self) -> bool:
        """Whether it answers a question for a date or a time."""
        return self.kind in _WHEN


def find_quantities(
    text: str, language: str, *, weak: bool = False, habit: Habit | None = None
) -> list[Quantity]:
    """The quantities of a text in order, without overlap.

    Args:
        text: any text; offsets count in it as given.
        language: ISO 639-1. Without a table of its own, digits and signs count, and the month names of CLDR.
        weak: also what may be no number: articles ("one", "ett"), ordinals, Roman numerals. They may lie within others.
        habit: how the document that the text is of groups its digits (`digit_habit`); None: as the text does.
    """
    found = _found(text, language, habit)
    return list(found) if weak else [quantity for quantity in found if not quantity.weak]


@lru_cache(maxsize=256)  # asked for each sentence of a passage
def digit_habit(text: str, language: str) -> Habit:
    """How a document groups its digits, for `find_quantities` of its sentences."""
    return habit_of(fold_digits(text), language)


@lru_cache(maxsize=4096)  # the same sentences answer again and again
def _found(text: str, language: str, habit: Habit | None) -> tuple[Quantity, ...]:
    composed, offsets = with_offsets(text)
    plain = fold_digits(composed)
    quantities = []
    for amount in find_amounts(plain, language, habit or habit_of(plain, language)):
        start, end = offsets(amount.start), offsets(amount.end)
        quantities.append(
            Quantity(
                start=start,
                end=end,
                text=text[start:end],
                short=amount.short(plain),
                kind=amount.kind,
                form=amount.form,
                values=amount.values,
                days=amount.days,
                minutes=amount.minutes,
                code=amount.code,
                unit=amount.unit,
                bound=amount.bound,
                weak=amount.weak,
                in_words=amount.in_words,
                share_unknown=amount.share_unknown,
            )
        )
    return tuple(quantities)


def numbers_in(text: str, language: str = "und") -> set[str]:
    """The numbers that a question names, as `Quantity.numbers` has them.

    Those in words are left out: a document in another language may hold them in words that cannot be read.
    """
    found = (quantity for quantity in find_quantities(text, language) if not quantity.in_words)
    return {number for quantity in found for number in quantity.numbers}


def numbers_held(text: str, language: str = "und") -> set[str]:
    """The numbers that a text holds in any of their readings, with the figures that they are written with."""
    plain = fold_digits(text)
    found = {digits[:_MOST_DIGITS] for digits in regex.findall(r"[0-9]+", plain)}
    found |= {str(int(digits)) for digits in found if digits.startswith("0")}
    for digits in find_digits(plain, Habit()):
        found |= {canonical(value) for value in digits.readings}
    for quantity in find_quantities(text, language, weak=True):
        found |= quantity.numbers | {canonical(value).lstrip("-") for value in quantity.values}
        found |= {str(part) for day in quantity.days for part in (day.day, day.month, day.year) if part}
        found |= {str(minutes // 60) for minutes in quantity.minutes}
    return found


__all__: Sequence[str] = (
    "Bound",
    "Form",
    "Habit",
    "Kind",
    "Quantity",
    "digit_habit",
    "find_quantities",
    "numbers_held",
    "numbers_in",
)
