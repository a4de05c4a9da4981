"""Numbers as they stand in a sentence: digits of every script, what they count, and how they are bounded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import regex
from babel.core import UnknownLocaleError
from babel.dates import get_month_names

from index.language.lexicon import Lexicon, lexicon
from index.language.terms import fold_digits

QuantityKind = Literal["count", "share", "money", "date", "code"]

_NUMBER = regex.compile(
    r"""(?<![\p{Latin}\d.,/])          # not the tail of a word or of another number
        (?P<currency>[$€£¥₹₫৳]\s?)?
        (?P<digits>\d+(?:[.,\u00a0\u202f ]\d{3}(?!\d))*(?:[.,]\d+)?)
        (?P<ratio>\s?/\s?\d+(?!\d))?
        (?P<range>\s?[-–—]\s?\d+(?:[.,]\d+)?)?
        (?P<percent>\s?[%٪％])?""",
    regex.VERBOSE,
)
_CODE_TAIL = regex.compile(r"[-/.](?:\p{Lu}|[\p{L}\p{M}]+/[\p{L}\p{M}])")
_YEAR = regex.compile(r"1[0-9]\d\d|20\d\d|2100")
# How far from the number a word may stand that bounds it or names its unit, in code points.
_BEFORE, _AFTER = 24, 40


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a text.

    `start`..`end` are its code points in the text. `text` is the number with ASCII digits as written, `value`
    its size (scale word applied; None for codes, dates, ratios and ranges), `qualifier` one of "" "+" "~" "<" ">=".
    """

    start: int
    end: int
    text: str
    value: float | None
    kind: QuantityKind
    qualifier: str

    @property
    def short(self) -> str:
        """The short answer: "540+", "~25%", "84/167"."""
        if self.qualifier == "+":
            return f"{self.text}+"
        return f"{self.qualifier}{self.text}"


def find_quantities(text: str, language: str) -> list[Quantity]:
    """The numbers of a text in order, full dates as one.

    Args:
        text: any text; its own language decides the words looked for.
        language: ISO 639-1; English words where there is no table.
    """
    return list(_found(text, language))


@lru_cache(maxsize=4096)  # the same sentences answer again and again
def _found(text: str, language: str) -> tuple[Quantity, ...]:
    words = lexicon(language)
    plain = fold_digits(text)
    dates = _dates(plain, language)
    found = list(dates)
    for match in _NUMBER.finditer(plain):
        if not any(date.start < match.end() and match.start() < date.end for date in dates):
            found.append(_quantity(plain, match, words))
    return tuple(sorted(found, key=lambda quantity: quantity.start))


def bound_of(plain: str, start: int, end: int, language: str) -> str:
    """How the words around a number bound it: "+", "<", ">=", "~" or "". `plain` has ASCII digits."""
    before, after = _around(plain, start, end)
    return _qualifier(before, after, lexicon(language))


def is_percent(plain: str, start: int, end: int, language: str) -> bool:
    """Whether a word for percent stands at a number of a text with ASCII digits."""
    before, after = _around(plain, start, end)
    words = lexicon(language)
    if _ends_with(before, words.numbers.percent_before):
        return True
    return bool(_starts_with(after, words.quantity["percent"]))


def _around(plain: str, start: int, end: int) -> tuple[str, str]:
    return plain[max(0, start - _BEFORE) : start].casefold(), plain[end : end + _AFTER].casefold()


def numbers_in(text: str) -> set[str]:
    """Every run of digits of a text, ASCII, separators dropped: what a question's numbers are checked against."""
    plain = fold_digits(text)
    return {
        regex.sub(r"\D", "", match.group()) for match in regex.finditer(r"\d+(?:[.,]\d{3})*", plain)
    } | set(regex.findall(r"\d+", plain))


def _quantity(plain: str, match: regex.Match[str], words: Lexicon) -> Quantity:
    before, after = _around(plain, match.start(), match.end())
    kind = _kind(plain, match, before, after, words)
    qualifier = "" if kind in {"code", "date"} else _qualifier(before, after, words)
    shown = " ".join(match.group().split())
    end = match.end()
    value: float | None = None
    if not match["ratio"] and not match["range"] and kind in {"count", "share", "money"}:
        value = _value(match["digits"])
        scale_word = _starts_with(after, words.scale)
        if scale_word:
            value *= words.scale[scale_word]
            end += after.index(scale_word) + len(scale_word)
            shown = f"{shown} {scale_word}"
    if kind == "share" and not match["percent"]:
        shown += "%"
    return Quantity(start=match.start(), end=end, text=shown, value=value, kind=kind, qualifier=qualifier)


def _kind(plain: str, match: regex.Match[str], before: str, after: str, words: Lexicon) -> QuantityKind:
    digits = match["digits"]
    if _CODE_TAIL.match(plain, match.end()) or _ends_with(before, words.quantity["identifier"]):
        return "code"
    if _starts_with(after, words.quantity["identifier"]):
        return "code"
    if match["percent"] or _starts_with(after, words.quantity["percent"]):
        return "share"
    if match["currency"] or _names_money(after, words):
        return "money"
    if _YEAR.fullmatch(digits) and not match["ratio"]:
        return "date"
    return "count"


def _names_money(after: str, words: Lexicon) -> bool:
    scale_word = _starts_with(after, words.scale)
    rest = after[after.index(scale_word) + len(scale_word) :] if scale_word else after
    return bool(_starts_with(rest, words.quantity["money"]))


def _qualifier(before: str, after: str, words: Lexicon) -> str:
    quantity = words.quantity
    if _starts_with(after, quantity["more_after"], within=14) or _ends_with(before, quantity["more"]):
        return "+"
    if _starts_with(after, quantity["less_after"], within=14) or _ends_with(before, quantity["less"]):
        return "<"
    if _ends_with(before, quantity["least"]):
        return ">="
    if _ends_with(before, quantity["about"]):
        return "~"
    return ""


def _starts_with(after: str, phrases: object, *, within: int = 0) -> str:
    """The phrase that follows the number (at most `within` code points of a unit between), or ""."""
    head = after.lstrip(" \u00a0-–")
    for phrase in sorted(phrases, key=len, reverse=True):  # type: ignore[call-overload]
        if head.startswith(phrase) and not _continues_word(head, len(phrase)):
            return str(phrase)
        position = head.find(phrase) if within else -1
        if 0 < position <= within and not regex.search(r"[,;.।\d]", head[:position]):
            return str(phrase)
    return ""


def _ends_with(before: str, phrases: tuple[str, ...]) -> str:
    tail = before.rstrip(" \u00a0")
    for phrase in phrases:
        if tail.endswith(phrase):
            start = len(tail) - len(phrase)
            if start == 0 or not tail[start - 1].isalpha():
                return phrase
    return ""


def _continues_word(text: str, position: int) -> bool:
    """Whether an ASCII or Latin word goes on there; glued endings of other scripts do not count."""
    return bool(regex.match(r"\p{Latin}", text, pos=position))


def _value(digits: str) -> float:
    """The size of a written number: groups of three are thousands, any other last separator a decimal point."""
    plain = regex.sub(r"[\s\u00a0\u202f]", "", digits)
    if regex.fullmatch(r"\d+(?:[.,]\d{3})+", plain):
        return float(regex.sub(r"[.,]", "", plain))
    if regex.fullmatch(r"\d+(?:[.,]\d{3})*[.,]\d+", plain):
        whole, _, part = plain.replace(",", ".").rpartition(".")
        return float(f"{whole.replace('.', '')}.{part}")
    return float(plain.replace(",", "."))


def _dates(plain: str, language: str) -> list[Quantity]:
    pattern = _date_pattern(language)
    if pattern is None:
        return []
    return [
        Quantity(
            start=match.start(),
            end=match.end(),
            text=" ".join(match.group().split()),
            value=None,
            kind="date",
            qualifier="",
        )
        for match in pattern.finditer(plain)
    ]


@cache
def _date_pattern(language: str) -> regex.Pattern[str] | None:
    """Day, month name and year in any usual order, month names from CLDR; None where CLDR has no such language."""
    names: set[str] = set()
    try:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                table = get_month_names(width, context=context, locale=language)
                names |= {fold_digits(name.casefold().rstrip(".")) for name in table.values()}
    except (UnknownLocaleError, ValueError):
        return None
    month = "|".join(sorted((regex.escape(n) for n in names if len(n) > 2), key=len, reverse=True))
    if not month:
        return None
    return regex.compile(
        rf"(?<![\p{{L}}\d])(?:\d{{1,2}}\.?(?:st|nd|rd|th)?\s+(?:{month})\.?(?![\p{{Latin}}\p{{M}}])(?:,?\s+(?:\p{{L}}{{2,3}}\s+)?\d{{4}})?"
        rf"|(?:{month})\.?\s+\d{{1,2}},?\s+\d{{4}}|(?:{month})\.?,?\s+\d{{4}}|\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{4}})(?!\d)",
        regex.IGNORECASE,
    )
