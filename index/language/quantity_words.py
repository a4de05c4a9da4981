"""The words of a language around its numbers, as patterns: units, money, percent, bounds, ranges, parts, identifiers.

They come from the tables of `index/language/tables`; units also from CLDR, in every language that it has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import regex
from babel import Locale
from babel.core import UnknownLocaleError
from babel.numbers import list_currencies
from babel.units import format_unit

from index.language.digits import decimal_sign
from index.language.lexicon import languages, lexicon

Bound = Literal["", ">", ">=", "<", "<=", "~"]
Pattern: TypeAlias = "regex.Pattern[str]"

# How far from a number a word may stand that bounds it, in code points; and how much of its unit may lie between.
BEFORE, AFTER, WITHIN = 32, 48, 16
_SIGNS = r"[$€£¥₹₫৳]"
DURATIONS = (
    "year", "month", "week", "day", "night", "hour", "minute", "second", "decade", "century",
)  # fmt: skip
MEASURES = (
    "length-kilometer", "length-meter", "length-centimeter", "length-millimeter", "length-mile", "length-foot",
    "length-nautical-mile", "area-square-kilometer", "area-square-meter", "area-hectare", "area-acre",
    "mass-tonne", "mass-kilogram", "mass-gram", "mass-milligram", "mass-pound",
    "volume-liter", "volume-milliliter", "volume-centiliter", "volume-cubic-meter", "volume-gallon",
    "speed-kilometer-per-hour", "speed-meter-per-second", "speed-mile-per-hour", "speed-knot",
    "temperature-celsius", "temperature-fahrenheit", "temperature-kelvin", "angle-degree",
    "power-watt", "power-kilowatt", "power-megawatt", "power-gigawatt", "energy-kilowatt-hour", "energy-calorie",
    "digital-kilobyte", "digital-megabyte", "digital-gigabyte", "digital-terabyte", "electric-volt",
    "frequency-hertz", "pressure-hectopascal",
)  # fmt: skip
_LACKING = tuple({unit.partition("-")[0] + "-" for unit in MEASURES} | {"duration-"})
_MARKS: dict[str, Bound] = {"≥": ">=", "≤": "<=", ">": ">", "<": "<", "~": "~", "≈": "~"}
_NOT: Mapping[Bound, Bound] = {">": "<=", "<": ">="}
_LATIN_END, _ANY_END = r"(?![\p{L}\p{M}])", r"(?![\p{L}\p{M}])"


@dataclass(frozen=True, slots=True)
class QuantityWords:
    """Patterns of one language. Those named ..._before match at the end of what precedes a number (`match` reads
    them backwards), the others at the beginning of what follows it; all ignore case."""

    money: Pattern
    money_before: Pattern
    unit: Pattern
    durations: frozenset[str]
    percent: Pattern
    percent_before: Pattern
    percent_points: Pattern
    classifier: Pattern
    classifier_end: Pattern
    of_unit: Pattern
    bound_before: Pattern
    bound_after: Pattern
    least_or_most_after: Pattern
    bounds: Mapping[str, Bound]
    bounds_after: Mapping[str, Bound]
    during: frozenset[str]
    not_before: Pattern
    not_after: Pattern
    to: Pattern
    between_before: Pattern
    and_between: Pattern
    part_of: Pattern
    part_of_in_words: Pattern
    whole_of: Pattern
    minus_before: Pattern
    identifier_after: Pattern
    ordinal_after: Pattern
    ordinal_before: Pattern
    ordinal_word_before: Pattern
    date_before: Pattern
    clock_after: Pattern
    clock_end: Pattern
    weekday_before: Pattern
    comma_is_decimal: bool
    moment: Pattern
    identifier_before: Pattern
    counted_before: Pattern
    street: Pattern
    street_before: Pattern
    year_before: Pattern
    year: Pattern
    half: Pattern
    half_ending: Pattern
    halves: Mapping[str, float]
    scale: Pattern
    scales: Mapping[str, float]
    fraction: Pattern
    fractions: Mapping[str, float]
    phone_before: Pattern
    phone_regions: tuple[str, ...]
    stop: frozenset[str]


@cache
def quantity_words(language: str) -> QuantityWords:
    """The patterns of a language; without a table, only signs, currency codes and the units of CLDR."""
    has_table = language in languages()
    table = lexicon(language)
    words: Mapping[str, tuple[str, ...]] = (
        {kind: tuple(map(_nfc, each)) for kind, each in table.quantity.items()} if has_table else {}
    )
    numbers = table.numbers if has_table else None
    endings = "|".join(sorted(map(regex.escape, table.endings if has_table else ()), key=len, reverse=True))

    def get(kind: str) -> tuple[str, ...]:
        return words.get(kind, ())

    durations, measures = _units(language, frozenset(table.stop) if has_table else frozenset())
    durations |= frozenset(get("durations"))
    own = frozenset(get("units"))
    codes = "|".join(sorted(list_currencies()))
    money = rf"(?:(?-i:{codes})(?![\p{{L}}\p{{M}}])|{_SIGNS}|{_either(get('money'), endings)})"
    bounds = dict(_MARKS)
    after: dict[str, Bound] = {}
    for kind, bound in (("about", "~"), ("more", ">"), ("least", ">="), ("less", "<"), ("most", "<=")):
        bounds.update((word, bound) for word in get(kind))  # type: ignore[misc]
        after.update((word, bound) for word in get(f"{kind}_after"))  # type: ignore[misc]
    fillers = _either(get("of_filler"))
    dated = _either({*get("clock_date"), *get("clock_near"), *get("clock_part"), *get("clock_before")})
    halves = {_nfc(word): value for word, value in (numbers.half_after if numbers else {}).items()}
    scales = {
        _nfc(word): value for word, value in (numbers.scale if numbers else {}).items() if value >= 1000
    }
    fractions = {_nfc(word): value for word, value in (numbers.fractions if numbers else {}).items()}
    articles = {form for word in (numbers.articles if numbers else ()) for form in (word, f"{word}n")}
    between = r"[^\S\n]{1,3}"
    return QuantityWords(
        money=_compiled(rf"[ \u00a0\u202f]?{money}"),
        money_before=_compiled(
            rf"(?r)(?:(?:(?<![\p{{L}}\p{{M}}])(?-i:\p{{Lu}}{{1,3}}))?{_SIGNS}"
            rf"|(?<![\p{{L}}\p{{M}}])(?:(?-i:{codes})|{_any(get('money_before'))}))[ \u00a0\u202f]?\Z"
        ),
        unit=_compiled(rf"[ \u00a0\u202f]?-?{_either({*durations, *measures, *own}, endings)}"),
        of_unit=_compiled(
            rf"(?:[ \u00a0](?:{_any(articles)}))?[ \u00a0](?={_either({*durations, *measures, *own}, endings)})"
        ),
        durations=durations,
        percent=_compiled(rf"[ \u00a0\u202f]?(?:[%٪％]|{_either(get('percent'), endings)})"),
        percent_points=_compiled(rf"[ \u00a0\u202f]?{_either(get('percent_points'), endings)}"),
        percent_before=_before(numbers.percent_before if numbers else ()),
        classifier_end=_compiled(rf"(?r)(?:{_any(get('classifiers'))})\Z"),
        classifier=_compiled(rf"[ \u00a0\u202f]?-?{_either(get('classifiers'))}"),
        bound_before=_before(bounds),
        bound_after=_after(word for word, bound in after.items() if not bound.endswith("=")),
        least_or_most_after=_after(word for word, bound in after.items() if bound.endswith("=")),
        bounds=bounds,
        bounds_after=after,
        during=frozenset(get("during")),
        not_before=_compiled(
            rf"(?r)(?<![\p{{L}}\p{{M}}])(?:{_any(get('not'))}){between}"
            rf"(?:(?!(?:{_any(get('not_only'))}){_ANY_END})[\p{{L}}\p{{M}}]+{between})?\Z"
        ),
        not_after=_compiled(
            rf"(?:{between}(?:{_any(get('not_link'))})){{0,3}}{between}(?:{_any(get('not_after'))}){_ANY_END}"
        ),
        to=_compiled(
            rf"[ \u00a0]?[-–—−][ \u00a0]?\Z|{between}(?:{_any(get('to'))}){between}(?:{dated}{between})?\Z"
        ),
        between_before=_before(get("between")),
        and_between=_compiled(rf"{between}(?:{_any(get('and_between'))}){between}\Z"),
        part_of=_compiled(
            rf"(?:{between}(?:{_any(get('of'))})|(?:{between}[\p{{L}}\p{{M}}]+){{1,2}}?{between}(?:"
            rf"{_any([word for word in get('of') if ' ' in word])})){between}(?:{fillers}{between}){{0,3}}\Z"
        ),
        part_of_in_words=_compiled(rf"{between}(?:{_any(get('of_in_words'))}){between}\Z"),
        whole_of=_compiled(
            rf"[\p{{L}}\p{{M}}'’-]*(?:{between}[\p{{L}}\p{{M}}'’-]+){{0,4}}?{between}(?:{_any(get('of_after'))})"
            rf"{between}(?:{fillers}{between}){{0,2}}\Z"
        ),
        minus_before=_before(get("minus")),
        identifier_after=_compiled(rf"[ \u00a0-]?{_either(get('identifier_after'))}"),
        ordinal_after=_compiled(rf"-?(?:{_any(get('ordinal_after'))}){_ANY_END}"),
        ordinal_before=_before(get("ordinal_before")),
        ordinal_word_before=_before(numbers.ordinals if numbers else ()),
        date_before=_before(get("clock_date")),
        clock_after=_compiled(rf"[ \u00a0](?:{_any(get('clock_after'))}){_ANY_END}"),
        clock_end=_compiled(rf"(?:{_any([word for word in get('clock_after') if not word.isascii()])})\Z"),
        weekday_before=_compiled(
            rf"(?r)(?<![\p{{L}}\p{{M}}])(?:{_any(_weekdays(language))})[.:,]?[ \u00a0]{{0,2}}\Z"
        ),
        comma_is_decimal=decimal_sign(language) == ",",
        moment=_compiled(rf"T|,?[^\S\n]{{0,2}}(?:{dated}[^\S\n]{{1,2}}){{0,2}}"),
        identifier_before=_compiled(
            rf"(?r)(?<![\p{{L}}\p{{M}}])(?:{_any((*get('identifier'), *get('numbered')))})[ \u00a0]?[#:]?\Z"
        ),
        counted_before=_before(get("counted_before")),
        street=_compiled(rf"[ ,](?:(?-i:\p{{Lu}})[\p{{L}}\p{{M}}]*[ ]){{0,3}}{_either(get('street'))}"),
        street_before=_compiled(rf"(?r)(?:{_any(get('street_after'))}) ?\Z"),
        year_before=_before(get("year_before")),
        year=_compiled(rf"[ \u00a0-]?{_either(get('year'))}"),
        half=_compiled(rf"[ \u00a0]?(?P<word>{_any(halves)}){_ANY_END}"),
        half_ending=_compiled(rf"[\p{{L}}\p{{M}}\d][ \u00a0]?(?:{_any(halves)})\Z"),
        halves=halves,
        scale=_compiled(rf"[ \u00a0](?:{fillers}[ \u00a0])?(?P<word>{_any(scales)}){_ANY_END}"),
        scales=scales,
        fraction=_compiled(rf"(?<![\p{{L}}\p{{M}}\d])(?P<word>{_any(fractions)}){_ANY_END}"),
        fractions=fractions,
        phone_before=_compiled(
            rf"(?<![\p{{L}}\p{{M}}])(?:{_any(get('phone'))})(?:[ ]?[:：.]?[ ]?|[^\S\n]?(?:[\p{{L}}\p{{M}}]+[ ]?){{0,2}}"
            rf"[:：]?[ ]?)[(+]*\Z"
        ),
        phone_regions=get("phone_regions"),
        stop=frozenset(table.stop) if has_table else frozenset(),
    )


def bound_of(plain: str, start: int, end: int, words: QuantityWords, *, duration: bool) -> Bound:
    """How the words around `start`..`end` bound the number there. `plain` has ASCII digits."""
    ahead = min(len(plain), end + AFTER)
    # "Not more than" has "more than" in it.
    after = words.least_or_most_after.match(plain, end, ahead) or words.bound_after.match(plain, end, ahead)
    if after:
        bound = words.bounds_after[folded(after["word"])]
        return _NOT.get(bound, bound) if words.not_after.match(plain, after.end("word")) else bound
    tail = plain[max(0, start - BEFORE) : start]
    found = words.bound_before.match(tail)
    if found is None:
        return _plus(plain, end)
    word = folded(found["word"])
    bound = words.bounds[word]
    if bound in _NOT and words.not_before.match(tail[: found.start("word")]):
        return _NOT[bound]
    if duration and word in words.during:
        return ""
    return (_plus(plain, end) or bound) if bound == "~" else bound


def _plus(plain: str, end: int) -> Bound:
    return ">" if plain.startswith("+", end) and not plain[end + 1 : end + 2].isdigit() else ""


def folded(word: str) -> str:
    """A word as the tables have it: lower case, single spaces, NFC."""
    return _nfc(" ".join(word.lower().split()))


def _nfc(word: str) -> str:
    return unicodedata.normalize("NFC", word)


def _compiled(pattern: str) -> Pattern:
    return regex.compile(pattern, regex.IGNORECASE)


def _any(words: Iterable[str]) -> str:
    """An alternation, the longest first, that nothing matches when there are no words."""
    escaped = sorted(
        (regex.escape(word, special_only=True, literal_spaces=True) for word in words), key=len, reverse=True
    )
    return "|".join(escaped).replace(" ", r"[ \u00a0]") if escaped else "(?!)"


def _either(words: Iterable[str], endings: str = "") -> str:
    """Whole words; those of scripts that glue case endings may bear one."""
    latin = [word for word in words if word[-1:].isascii() or regex.search(r"\p{Latin}", word)]
    others = [word for word in words if word not in latin]
    glued = rf"(?P<word>{_any(others)})(?:-?(?:{endings}))?" if endings else rf"(?P<word>{_any(others)})"
    return rf"(?:(?P<word>{_any(latin)}){_LATIN_END}|{glued}{_ANY_END})"


def _after(words: Iterable[str]) -> Pattern:
    return _compiled(
        rf"[^,;.।\d]{{0,{WITHIN}}}?(?<![\p{{Latin}}])(?P<word>{_any(words)})(?![\p{{L}}\p{{M}}])"
    )


def _before(words: Iterable[str]) -> Pattern:
    # Matched from its end backwards.
    return _compiled(rf"(?r)(?<![\p{{L}}\p{{M}}])(?P<word>{_any(words)})[ \u00a0]{{0,2}}\Z")


@cache
def _weekdays(language: str) -> frozenset[str]:
    """How CLDR writes the days of the week, in full and cut short; none where it has no such language."""
    try:
        days = Locale.parse(language).days["format"]
    except (UnknownLocaleError, ValueError, TypeError):
        return frozenset()
    return frozenset(
        _nfc(name.lower().rstrip(".")) for width in ("wide", "abbreviated") for name in days[width].values()
    )


@cache
def _units(language: str, stop: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    """How CLDR writes the units of time, and the other units, in a language: lower case, without the number."""
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError, TypeError):
        locale = Locale.parse("en")  # signs such as "km" are the same everywhere
    durations = _names(locale, [f"duration-{unit}" for unit in DURATIONS], stop)
    if locale.language != language:
        return frozenset(), frozenset(name for name in _names(locale, MEASURES, stop) if len(name) < 5)
    return durations, _names(locale, MEASURES, stop)


def unit_names(locale: Locale, units: Iterable[str]) -> dict[str, str]:
    """How CLDR writes units in a language, lower case, without the number, and which unit each is."""
    found: dict[str, str] = {}
    for unit in units:
        for length in ("long", "short"):
            for value in (1, 2, 5, 1000, 0.5):
                written = format_unit(value, unit, length, locale=locale, numbering_system="latn")
                name = regex.sub(r"[\d.,\s\u00a0\u202f]*\d[\d.,\u00a0\u202f]*", "", written).strip()
                found.setdefault(_nfc(name.lower()), unit)
    return found


def _names(locale: Locale, units: Iterable[str], stop: frozenset[str]) -> frozenset[str]:
    found = unit_names(locale, units)
    # A letter alone is rarely a unit; and CLDR lacks some in some languages.
    return frozenset(
        name
        for name in found
        if name and name not in stop and not name.startswith(_LACKING) and (len(name) > 1 or name in "mglth")
    )
