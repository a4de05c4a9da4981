"""Codes and telephone numbers: figures that name something and amount to nothing."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
import regex

from index.language.quantity_words import QuantityWords
from index.language.terms import fold

_PART = r"[\p{L}\p{M}\d]"
_CODE = regex.compile(
    rf"""(?<!{_PART}|\d[-/.,]|\p{{L}}[-/])(?:
        \d+(?:[-/]\d+)*[-/](?:\p{{Lu}}{{2,}}|[\p{{L}}\p{{M}}]+[-/][\p{{L}}\p{{M}}]){_PART}*(?:[-/]{_PART}+)*  # 57-NQ/TW
      | \p{{Lu}}+(?:[-/]?\d+)+(?:[-/]?\p{{Lu}}+\d*)*(?!{_PART})                                         # H5N1, GPT-4
      | \d{{1,4}}\p{{Lu}}(?!{_PART}|[-/]\d)                                                             # 6B
      | \d{{1,4}}(?:\([\da-z]{{1,3}}\))+                                                                # 12(3)
      | \d+(?:-\d+){{2,}}(?!{_PART}) | \d+(?::\d+)+(?!{_PART})                                             # 3:2
      | [vV]?\d{{1,5}}(?:\.\d{{1,5}}){{2,6}}(?!\d|{_PART})                                              # 2.1.4
      | (?P<loose>(?:[\p{{L}}\p{{M}}]{{2,}}-|\p{{Lu}}+[ ])\d+(?!{_PART}|[.,]\d|-\d+-\d))  # कोविड-19, CO 2
    )""",
    regex.VERBOSE,
)
# "09.00-17.00" are hours.
_HOURS = regex.compile(r"(?:[01]?\d|2[0-4])[.][0-5]\d ?- ?(?:[01]?\d|2[0-4])[.][0-5]\d")
_THREES = regex.compile(r"[1-9]\d{0,2}(?:[., \u00a0\u202f]\d{3})+")
_TELEPHONE = regex.compile(
    r"""(?<![\p{L}\p{M}\d]|\d[.,/:-])
        (?:\+|\(\+?(?=\d{1,5}\)))?\d(?:[ \u00a0().-]{0,2}\d){5,14}
        (?!\d|[.,/:-]\d|[\u00a0 ]?[%°])""",
    regex.VERBOSE,
)
# How far before a telephone number the word may stand that says so, in code points.
_BEFORE = 40


@dataclass(frozen=True, slots=True)
class Code:
    """A code at code points `start`..`end`; `code` is its letters and digits, folded.

    `loose`: it may be a number behind a name too ("COVID-19").
    """

    start: int
    end: int
    code: str
    loose: bool = False


def find_codes(plain: str) -> list[Code]:
    """The codes of a text with ASCII digits, in order."""
    return [
        Code(match.start(), match.end(), folded_code(match.group()), loose=bool(match["loose"]))
        for match in _CODE.finditer(plain)
        if not (_THREES.fullmatch(match.group()))
    ]


def folded_code(code: str) -> str:
    """The letters and digits of a code."""
    return str(regex.sub(r"[^\p{L}\p{M}\d]", "", fold(code)))


def find_telephones(plain: str, words: QuantityWords) -> list[Code]:
    """The telephone numbers of a text with ASCII digits: where a word says so, and where they are written as one and
    valid where the language's readers live (Google's libphonenumber)."""
    return [
        Code(match.start(), match.end(), folded_code(match.group()))
        for match in _TELEPHONE.finditer(plain)
        if _is_telephone(plain, match, words)
    ]


def _is_telephone(plain: str, match: regex.Match[str], words: QuantityWords) -> bool:
    written = match.group()
    if written.startswith("+"):
        return _valid(written, (None,)) or _told(plain, match.start(), words)
    if _THREES.fullmatch(written) or _HOURS.fullmatch(written) or words.money.match(plain, match.end()):
        return False
    if _told(plain, match.start(), words):
        return True
    groups = regex.findall(r"\d+", written)
    # Figures side by side in a table are no telephone number.
    as_one = written.startswith(("0", "(")) or "-" in written
    return as_one and len(groups) > 1 and _valid(written, words.phone_regions)


def _told(plain: str, start: int, words: QuantityWords) -> bool:
    return words.phone_before.search(plain[max(0, start - _BEFORE) : start]) is not None


def _valid(written: str, regions: tuple[str | None, ...]) -> bool:
    for region in regions:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
