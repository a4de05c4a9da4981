"""Finds what `index.language.quantities` returns: each number with its sign, unit and kind, joined to what it is with.

Dates, times, telephone numbers and codes are found first, so that no number is read inside one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import regex

from index.language.amount import Amount, Form, Kind, as_fraction
from index.language.clock import find_times
from index.language.codes import find_codes, find_telephones, folded_code
from index.language.dates import Day, find_dates, possible_days
from index.language.digits import Habit, canonical, find_digits
from index.language.joined import joined
from index.language.lexicon import languages
from index.language.numerals import Numeral, numerals
from index.language.quantity_words import BEFORE, QuantityWords, bound_of, folded, quantity_words

_DIGIT = regex.compile(r"\d")
_NUMBER = r"\d+(?:[.,]\d+)*"
_SLASH = regex.compile(
    rf"(?<![\d.,/-])(?:(?P<whole>\d{{1,3}}) (?=[1-9]/(?:[2-48]|16)(?!\d)))?"
    rf"(?P<first>{_NUMBER})\s?/\s?(?P<second>{_NUMBER})"
    r"(?![\d/]|[.,]\d)"
)
_VULGAR = regex.compile(r"(?P<whole>(?<![\d.,])\d{1,3} ?)?(?P<sign>[¼½¾⅐-⅞])")
_ROMAN = regex.compile(r"(?<![\p{L}\p{M}\d])(?=[IVXLC]{2})L?X{0,3}(?:IX|IV|V?I{0,3})(?![\p{L}\p{M}\d])")
_ROMAN_DIGITS = {"I": 1, "V": 5, "X": 10, "L": 50}
_MINUS = regex.compile(r"(?:\A|[\s(\[:=])[-−]\Z")
_LATIN = regex.compile(r"\p{Latin}")
_YEAR = regex.compile(r"(?:1\d|20)\d\d|2100")
# From here on four digits alone are a year; below, only where a word says so or no noun follows. Chosen, not measured.
_SURELY_YEAR = 1800
_HOURS = 24
_NOUN = regex.compile(r"[ \u00a0](?P<word>[\p{L}\p{M}]+)")
_NUMBERED_YEAR = regex.compile(r"[ \u00a0][\p{L}\p{M}]+[ \u00a0](?:1\d|20)\d\d(?!\d)")
_LETTER_SCALE = regex.compile(r"\p{Latin}{1,2}(?![\p{L}\p{M}\d])")
# One word may stand between a number and its unit: "4 consecutive nights".
_BETWEEN = regex.compile(r"[ \u00a0](?P<word>\p{Ll}{4,20})(?= )")


def find_amounts(plain: str, language: str, habit: Habit) -> list[Amount]:
    """The quantities of a text with ASCII digits in order; those that are weak may lie within others."""
    words = quantity_words(language)
    taken = _Taken(plain)
    found = [amount for amount in _named(plain, language, words) if taken.take(amount)]
    if _DIGIT.search(plain):
        found += [amount for amount in _slashed(plain, language, words, habit) if taken.take(amount)]
    found += [amount for amount in _fractions(plain, words) if taken.take(amount)]
    has_table = language in languages()
    last = 0
    for numeral in numerals(plain, language, taken=taken.spans, habit=habit):
        amount = _dressed(plain, numeral, words) if numeral.start >= last else None
        if amount is not None:
            last = amount.full_end
            amount.share_unknown = not has_table and amount.kind == "count"
            # "Zero" is part of "below zero" where that is how a language says minus.
            found = [other for other in found if not amount.start <= other.start < amount.end]
            found.append(amount)
    found = joined(plain, sorted(found, key=lambda each: each.start), words)
    for amount in found:
        _bind(plain, amount, words)
    return sorted([*found, *_romans(plain), *_loose(plain, found)], key=lambda each: (each.start, each.weak))


class _Taken:
    """Which code points already belong to something."""

    def __init__(self, plain: str) -> None:
        self._occupied = bytearray(len(plain))
        self.spans: list[tuple[int, int]] = []

    def take(self, amount: Amount) -> bool:
        """Whether it stood free; it no longer does."""
        if any(self._occupied[amount.start : amount.end]):
            return False
        self._occupied[amount.start : amount.end] = b"\1" * (amount.end - amount.start)
        self.spans.append((amount.start, amount.end))
        return True


def _named(plain: str, language: str, words: QuantityWords) -> Iterator[Amount]:
    """Dates, telephone numbers, times and codes, those that decide first."""
    for date in find_dates(plain, language):
        days = date.readings if date.until is None else (date.readings[0], date.until)
        form: Form = "one" if date.until is None else "range"
        yield Amount(date.start, date.end, "date", form, days=days, weak=date.weak)
    if not _DIGIT.search(plain):
        return
    for code in find_telephones(plain, words):
        yield Amount(code.start, code.end, "telephone", code=code.code)
    for time in find_times(plain, language):
        yield Amount(time.start, time.end, "time", minutes=(time.minutes,))
    for code in find_codes(plain):
        year = (
            _YEAR.fullmatch(plain[code.end - 4 : code.end])
            and not plain[code.end - 5 : code.end - 4].isdigit()
        )
        if code.loose and (year or " " in plain[code.start : code.end]):
            continue  # "mid-2024" holds a year, "CO 2" may hold a number
        figures = regex.search(r"\d+\Z", plain[code.start : code.end])
        values = (float(figures.group()[:15]),) if code.loose and figures else ()
        yield Amount(code.start, code.end, "code", code=code.code, values=values)


def _slashed(plain: str, language: str, words: QuantityWords, habit: Habit) -> Iterator[Amount]:
    """Two numbers with a stroke: a part of a whole, a day and its month, or a code."""
    for match in _SLASH.finditer(plain):
        written = match["first"], match["second"]
        sides = [[each.readings for each in find_digits(side, habit)] for side in written]
        start, end = match.span()
        if not all(len(side) == 1 and side[0] for side in sides):
            yield Amount(start, end, "code", code=folded_code(match.group()))
            continue
        first, second = sides[0][0][0], sides[1][0][0]
        if match["whole"] and first < second:  # "2 1/2 cups"
            amount = Amount(start, end, values=(float(match["whole"]) + first / second,))
            _unit(plain, amount, words)
            yield amount
            continue
        plainly = all(map(str.isdecimal, written)) and first <= 31 and second <= 31
        days = possible_days(int(first), int(second), None, language) if plainly else ()
        dated = words.date_before.match(plain[max(0, start - BEFORE) : start]) is not None
        if days and (dated or first > second):
            yield Amount(start, end, "date", days=days)
        elif first <= second:
            shown = "/".join(written)
            yield Amount(start, end, "part", "part", (first, second), days=days, shown=shown)
        else:
            yield Amount(start, end, "code", code=folded_code(match.group()))


def _fractions(plain: str, words: QuantityWords) -> Iterator[Amount]:
    for match in _VULGAR.finditer(plain):
        part = regex.sub(r"[^0-9⁄]", "", unicodedata.normalize("NFKD", match["sign"])).split("⁄")
        if len(part) == 2 and part[1]:
            value = float(match["whole"] or 0) + float(part[0]) / float(part[1])
            amount = Amount(match.start(), match.end(), values=(value,))
            _unit(plain, amount, words)
            yield amount
    for match in words.fraction.finditer(plain):
        if words.half_ending.search(plain[max(0, match.start() - BEFORE) : match.end()]):
            continue  # "two and a half"
        value = words.fractions[folded(match["word"])]
        scale = words.scale.match(plain, match.end())
        if scale:  # "half a million"
            value *= words.scales[folded(scale["word"])]
            amount = Amount(match.start(), scale.end(), values=(value,), in_words=True, scaled=True)
            _unit(plain, amount, words)
            yield amount
            continue
        of_unit = words.of_unit.match(plain, match.end())
        if of_unit:  # "half an hour"
            amount = Amount(match.start(), of_unit.end() - 1, values=(value,), in_words=True)
            amount.shown = as_fraction(value)
            _unit(plain, amount, words)
            yield amount
            continue
        # "The first half" and "half-time" are no shares.
        before, after = (
            plain[max(0, match.start() - BEFORE) : match.start()],
            plain[match.end() : match.end() + 1],
        )
        weak = after == "-" or words.ordinal_word_before.match(before) is not None
        yield Amount(
            match.start(), match.end(), "share", values=(value * 100,), in_words=True, weak=weak,
            shown=as_fraction(value),
        )  # fmt: skip


def _dressed(plain: str, numeral: Numeral, words: QuantityWords) -> Amount | None:
    """A number with its sign, currency, percent, unit; None inside a word such as "x540"."""
    start, end = numeral.start, numeral.end
    if not numeral.in_words and start and _LATIN.match(plain[start - 1]):
        return None
    values = (numeral.value,) if numeral.also is None else (numeral.value, numeral.also)
    amount = Amount(
        start, end, values=values, weak=numeral.weak, in_words=numeral.in_words, scaled=numeral.scaled,
        first=numeral.first,
    )  # fmt: skip
    half = words.half.match(plain, end)
    if half and numeral.also is None:
        value = numeral.value + words.halves[folded(half["word"])] * numeral.last_scale
        scale = words.scale.match(plain, half.end())  # "two and a half million"
        amount.end = scale.end() if scale else half.end()
        amount.values = (value * words.scales[folded(scale["word"])] if scale else value,)
        amount.weak = False
        amount.shown = canonical(amount.values[0])
    if amount.in_words and not amount.weak and (hour := _hour(plain, amount, words)):
        return hour
    _sign(plain, amount, words)
    _unit(plain, amount, words)
    before = plain[max(0, amount.start - BEFORE) : amount.start]
    if numeral.ordinal or (
        not amount.unit and (words.ordinal_after.match(plain, end) or words.ordinal_before.match(before))
    ):
        amount.weak = True
    elif amount.kind == "count" and not numeral.in_words:
        _figure(plain, amount, words, before)
    return amount


def _hour(plain: str, amount: Amount, words: QuantityWords) -> Amount | None:
    """The time of day that a number in words is: "साढ़े दस बजे"."""
    hour = amount.values[0]
    after = words.clock_after.match(plain, amount.end)
    glued = words.clock_end.search(plain[amount.start : amount.end])
    if not (after or glued) or not 0 < hour <= _HOURS or hour * 4 % 1:
        return None
    minutes = round(hour * 60)
    shown = f"{minutes // 60}:{minutes % 60:02}"
    return Amount(
        amount.start,
        after.end() if after else amount.end,
        "time",
        minutes=(minutes,),
        in_words=True,
        shown=shown,
    )


def _sign(plain: str, amount: Amount, words: QuantityWords) -> None:
    """Take in the currency sign and the minus before a number."""
    before = plain[max(0, amount.start - BEFORE) : amount.start]
    currency = words.money_before.match(before)
    if currency and not (amount.in_words and currency.group().isspace()):
        amount.start -= len(before) - currency.start()
        amount.kind = "money"
        before = before[: currency.start()]
    if _MINUS.search(before) and not amount.in_words:
        amount.start -= 1
    elif minus := words.minus_before.match(before):
        figure = plain[amount.start : amount.end]
        amount.start -= len(before) - minus.start()
        amount.shown = f"-{canonical(amount.values[0]) if amount.in_words else ' '.join(figure.split())}"
    else:
        return
    amount.values = tuple(-value for value in amount.values)


def _unit(plain: str, amount: Amount, words: QuantityWords) -> None:
    """Take in what a number is counted in."""
    end = amount.end
    before = plain[max(0, amount.start - BEFORE) : amount.start]
    points = words.percent_points.match(plain, end)
    percent = None if points else words.percent.match(plain, end)
    if percent or words.percent_before.match(before):
        amount.kind = "share"
        if percent:
            sign = percent.group().strip() in "%٪％"
            amount.end = percent.end() if sign else end
            amount.full_end = percent.end()
        amount.weak = False
        return
    if amount.kind == "money":
        if scale := _LETTER_SCALE.match(plain, end):  # "£5m": a million or a thousand, as the country has it
            amount.end, amount.values = scale.end(), ()
        return
    between = _BETWEEN.match(plain, end)
    # "Quarter 3 year 2025" counts no years.
    places = [] if _NUMBERED_YEAR.match(plain, end) and words.year.match(plain, end) else [end]
    if amount.in_words and not amount.scaled and words.classifier_end.match(plain[amount.start : end]):
        places = []  # counted by pieces: what follows is a thing
    if between and places and between["word"] not in words.stop and not amount.weak:
        places.append(between.end())
    for place in places:
        for kind, pattern in (("money", words.money), ("unit", words.unit)):
            match = pattern.match(plain, place) if points is None else points
            if match is None:
                continue
            word = match["word"] or match.group().strip()
            amount.unit = (plain[end:place] + " " + word).strip()
            amount.full_end = match.end()
            amount.kind = _kind_of(kind, word.lower(), words) if points is None else "share"
            amount.weak = amount.weak and amount.values[0] == 0
            half = words.half.match(plain, amount.full_end) if kind == "unit" else None
            if half and amount.values:  # "hai tháng rưỡi"
                amount.values = tuple(v + words.halves[folded(half["word"])] for v in amount.values)
                amount.shown, amount.full_end = canonical(amount.values[0]), half.end()
            return
    classifier = words.classifier.match(plain, end)
    if classifier:
        amount.full_end = classifier.end()
        # What is counted by pieces is whole: "1.540" of them are no one and a half.
        amount.values = amount.values[:1]
        amount.weak = amount.weak and amount.values[0] in {0, 1}


def _kind_of(pattern: str, word: str, words: QuantityWords) -> Kind:
    if pattern == "money":
        return "money"
    return "duration" if word in words.durations else "measure"


def _figure(plain: str, amount: Amount, words: QuantityWords, before: str) -> None:
    """What figures without a unit are: a year, the number of a thing or a house, or an amount."""
    written = plain[amount.start : amount.end]
    counted = amount.full_end > amount.end
    if counted or amount.scaled:
        return
    named = words.identifier_before.match(before)
    street = (
        written.isdecimal()
        and len(written) <= 4
        and (words.street.match(plain, amount.end) or words.street_before.match(before))
    )
    if (
        street
        or words.identifier_after.match(plain, amount.end)
        or (named and not words.counted_before.match(before[: named.start()]))
    ):
        amount.kind, amount.code, amount.values = "code", folded_code(written), ()
    elif _YEAR.fullmatch(written) and _is_year(plain, amount, words, before):
        amount.kind, amount.bare_year = "date", True
        amount.days = (Day(int(amount.values[0]), None, None),)


def _is_year(plain: str, amount: Amount, words: QuantityWords, before: str) -> bool:
    bound = bound_of(plain, amount.start, amount.end, words, duration=True)
    if bound in {">", ">=", "<", "<="}:
        return False
    if amount.values[0] >= _SURELY_YEAR:
        return True
    if words.year_before.match(before) or words.year.match(plain, amount.end):
        return True
    noun = _NOUN.match(plain, amount.end)
    return noun is None or noun["word"].lower() in words.stop


def _bind(plain: str, amount: Amount, words: QuantityWords) -> None:
    """Set how the words around an amount bound it."""
    if amount.kind in {"date", "time", "code", "telephone"}:
        return
    bound = bound_of(plain, amount.start, amount.full_end, words, duration=amount.kind == "duration")
    amount.bound = bound if amount.form != "range" or bound == "~" else ""


def _romans(plain: str) -> Iterator[Amount]:
    for match in _ROMAN.finditer(plain):
        digits = [_ROMAN_DIGITS.get(letter, 100) for letter in match.group()]
        value = sum(-d if after > d else d for d, after in pairwise([*digits, 0]))
        yield Amount(match.start(), match.end(), values=(float(value),), weak=True)


def _loose(plain: str, found: list[Amount]) -> Iterator[Amount]:
    """Codes that a number with a word before it may be: "CO 2"."""
    starts = {amount.end for amount in found if amount.kind == "count"}
    for code in find_codes(plain):
        if code.loose and " " in plain[code.start : code.end] and code.end in starts:
            yield Amount(code.start, code.end, "code", code=code.code, weak=True)
