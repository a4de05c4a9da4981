"""Numbers in digits: how they are grouped, which sign is the decimal one, and what they come to.

Signs mean different things in different languages: "1.540" is a thousand and more in Vietnamese, and less than two in
English. A sign that groups in one place of a text groups in all of it; then the language decides (CLDR); what neither
decides keeps both readings.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import regex
from babel import Locale
from babel.core import UnknownLocaleError

# A plain space separates words as often as thousands; these others bind.
BINDING_SPACES = "\u00a0\u2007\u2009\u202f"
APOSTROPHES = "'’"

# Groups of three behind one repeated sign, or the Indian 2-2-3 with commas, in ASCII digits. A leading zero makes it a
# decimal ("0,125"); a plain space is left to those who know what stands around it.
GROUPED = regex.compile(
    rf"""(?<![0-9]|[0-9][.,'’])(?!0)
        (?: [0-9]{{1,3}}([,.'’{BINDING_SPACES}])[0-9]{{3}}(?:\1[0-9]{{3}})*(?!\1?[0-9])
          | [0-9]{{1,2}}(?:,[0-9]{{2}})+,[0-9]{{3}}(?!,?[0-9]) )""",
    regex.VERBOSE,
)
# A stretch of digits and the signs between them, whatever it may be.
_RUN = regex.compile(
    rf"""(?<![0-9])(?:
        [1-9][0-9]{{0,2}}(?P<space>[ {BINDING_SPACES}])[0-9]{{3}}(?:(?P=space)[0-9]{{3}})*
            (?:[.,][0-9]+)?(?![.,'’]?[0-9])
      | (?<![\p{{L}}\p{{M}}.,])[.][0-9]+(?![.,'’]?[0-9])
      | [0-9]+(?:[.,'’][0-9]+)* )""",
    regex.VERBOSE,
)
_SIGN = regex.compile(r"[.,'’]")
_SPACE = regex.compile(rf"[ {BINDING_SPACES}]")
_THREES = regex.compile(r"[1-9][0-9]{0,2}(?:[.,'’][0-9]{3})+")
_INDIAN = regex.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}")
_NOT_DIGIT = regex.compile(r"[^0-9]")
_YEARS = 4


@dataclass(frozen=True, slots=True)
class Habit:
    """How a text writes its numbers: the signs that group, and the decimal signs."""

    group: frozenset[str] = frozenset()
    decimal: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Digits:
    """A number in digits at code points `start`..`end`.

    `readings`: what it may come to, one or two, the grouped reading first; none for what is no number, such as the
    version "2.1.4" or an address.
    """

    start: int
    end: int
    readings: tuple[float, ...]


def find_digits(plain: str, habit: Habit) -> Iterator[Digits]:
    """The numbers in digits of a text with ASCII digits, in order."""
    for match in _RUN.finditer(plain):
        yield from _read(match.group(), match.start(), habit)


def habit_of(plain: str, language: str) -> Habit:
    """How a text with ASCII digits groups its numbers, by the numbers in it that say so and by its language."""
    group: set[str] = set()
    decimal: set[str] = set()
    own_group, own_decimal = _signs(language)
    for match in _RUN.finditer(plain):
        signs = _SIGN.findall(match.group())
        if not signs or (len(signs) == 1 and not match["space"] and _THREES.fullmatch(match.group())):
            continue  # says nothing, or is what is asked
        told = _told(match.group(), bool(match["space"]), own_decimal)
        group |= told.group
        decimal |= told.decimal
    if own_decimal and own_decimal in ".,":  # the other of the two groups, where nothing says otherwise
        group |= {own_group, *".,"} - {own_decimal, *decimal}
    # No text uses one sign for both; where it seems to, the grouping is the surer sight.
    return Habit(frozenset(group - {""}), frozenset(decimal - group))


def canonical(value: float) -> str:
    """A value as plain digits: "540", "2.5", "-18"."""
    if not math.isfinite(value):
        return "0"
    return str(int(value)) if value == int(value) else f"{value:.10f}".rstrip("0").rstrip(".")


def ungrouped(plain: str) -> str:
    """A text with ASCII digits whose grouped numbers have lost their signs: "1,540" and "1'540" give "1540"."""
    return str(GROUPED.sub(lambda match: _NOT_DIGIT.sub("", match.group()), plain))


def _told(run: str, spaced: bool, own_decimal: str) -> Habit:
    """What one number tells of the signs."""
    signs = _SIGN.findall(run)
    if spaced:
        return Habit(decimal=frozenset(signs))
    whole, last = run.rpartition(signs[-1])[0], signs[-1]
    if len(signs) > 1 and (_same_groups(run)):
        return Habit(group=frozenset({last}))
    if len(signs) > 1 and signs[0] != last and _same_groups(whole):
        return Habit(frozenset({signs[0]}), frozenset({last}))
    if len(signs) == 1 and last == own_decimal:
        return Habit(decimal=frozenset({last}))
    return Habit()


def decimal_sign(language: str) -> str:
    """The sign before decimals in a language; "" where CLDR has no such language."""
    return _signs(language)[1]


@cache
def _signs(language: str) -> tuple[str, str]:
    """The sign that groups and the decimal sign of a language; both "" where CLDR has no such language."""
    try:
        symbols = Locale.parse(language).number_symbols
    except (UnknownLocaleError, ValueError, TypeError):
        return "", ""
    latin = symbols.get("latn", symbols)
    return str(latin.get("group", "")), str(latin.get("decimal", ""))


def _same_groups(run: str) -> bool:
    signs = set(_SIGN.findall(run))
    return len(signs) == 1 and bool(_THREES.fullmatch(run) or _INDIAN.fullmatch(run))


def _read(run: str, start: int, habit: Habit) -> Iterator[Digits]:
    bare = _SPACE.sub("", run)
    if bare != run:  # groups behind spaces
        yield Digits(start, start + len(run), (_decimal(bare),))
        return
    signs = _SIGN.findall(run)
    if run.startswith("."):
        yield Digits(start, start + len(run), (_float(f"0{run}"),))
    elif not signs:
        yield Digits(start, start + len(run), (_float(run),))
    elif len(signs) == 1:
        yield from _one_sign(run, start, signs[0], habit)
    elif _same_groups(run):
        yield Digits(start, start + len(run), (_float(_NOT_DIGIT.sub("", run)),))
    elif len(set(signs[:-1])) == 1 and signs[0] != signs[-1] and signs[-1] not in APOSTROPHES:
        whole, _, part = run.rpartition(signs[-1])
        if _same_groups(whole):
            yield Digits(start, start + len(run), (_float(f"{_NOT_DIGIT.sub('', whole)}.{part}"),))
        else:
            yield from _pieces(run, start, habit)
    else:
        yield from _pieces(run, start, habit)


def _one_sign(run: str, start: int, sign: str, habit: Habit) -> Iterator[Digits]:
    whole, _, part = run.partition(sign)
    end = start + len(run)
    grouped = len(part) == 3 and len(whole) <= 3 and not whole.startswith("0")
    if sign in APOSTROPHES:
        yield from ([Digits(start, end, (_float(whole + part),))] if grouped else _pieces(run, start, habit))
    elif sign == "," and len(whole) == _YEARS == len(part):  # "1990,1995"
        yield from _pieces(run, start, habit)
    elif not grouped:
        yield Digits(start, end, (_decimal(run),))
    elif sign in habit.group:
        yield Digits(start, end, (_float(whole + part),))
    elif sign in habit.decimal:
        yield Digits(start, end, (_decimal(run),))
    else:
        yield Digits(start, end, (_float(whole + part), _decimal(run)))


def _pieces(run: str, start: int, habit: Habit) -> Iterator[Digits]:
    """A list without spaces ("1,2,3") gives its numbers; what has more points ("2.1.4") is none."""
    position = start
    for piece in regex.split(r"[,'’]", run):
        points = piece.count(".")
        if piece and points <= 1:
            readings = (_decimal(piece),) if points else (_float(piece),)
            yield Digits(position, position + len(piece), readings)
        elif piece:
            threes = _same_groups(piece)
            yield Digits(
                position, position + len(piece), (_float(_NOT_DIGIT.sub("", piece)),) if threes else ()
            )
        position += len(piece) + 1


def _decimal(run: str) -> float:
    whole, _, part = run.replace(",", ".").rpartition(".")
    return _float(f"{whole.replace('.', '')}.{part}") if whole else _float(part)


def _float(digits: str) -> float:
    # What is longer is no number that anyone compares, and float() would take it at any length.
    return float(digits[:400] or 0)
