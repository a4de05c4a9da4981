"""Titles in the order that a reader of a language expects, as Unicode's collation algorithm would have it.

The letters of the reader's own alphabet (`index.language.lexicon.Alphabet`) come first, then those of all others; a
mark counts where the letters are the same, and the case where the marks are too. Numbers stand by their value,
before the letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from index.language.lexicon import Alphabet, lexicon

TitleKey = tuple[str, str, str]

# What stands for each kind in a key: signs, digits, how many digits follow, letters of the alphabet, all others.
_SIGN = "\1"
_DIGITS = 0x10
_COUNT = 0x100
_OWN = 0x1000
_OTHER = 0x2000
_LONGEST_NUMBER = 200
# Letters that Unicode does not take apart, where the alphabet has none of its own.
_APART = {
    "æ": "ae",
    "œ": "oe",
    "ø": "o\u0338",
    "đ": "d\u0335",
    "ð": "d",
    "ł": "l\u0335",
    "ħ": "h\u0335",
    "ৎ": "ত্",
}
# Marks in the order of Unicode's own table, behind those of the alphabet.
_MARKS = "\u0301\u0300\u0306\u0302\u030c\u030a\u0308\u030b\u0303\u0307\u0338\u0327\u0328\u0304\u0309\u031b\u0335\u0323"
_NUMBER = re.compile(r"\d+")
_SIGNS = re.compile(f"{_SIGN}+")
# A virama is written like a mark and is a letter's equal.
_NO_MARKS = (0, 9)
_NO_MARK = "\1"


def title_key(title: str, language: str) -> TitleKey:
    """Return what titles are sorted by for a reader of `language`; those without a table are as in English."""
    text = unicodedata.normalize("NFKC", title.casefold())
    letters, marks = _tables(language)
    counted = _NUMBER.sub(_number, text)
    primary = _SIGNS.sub(_SIGN, counted.translate(letters)).strip(_SIGN)
    # Lower case first.
    return primary, text.translate(marks).rstrip(_NO_MARK), title.swapcase()


def _number(found: re.Match[str]) -> str:
    digits = "".join(str(unicodedata.digit(each)) for each in found[0]).lstrip("0")[:_LONGEST_NUMBER]
    # Longer ones are larger. A private character says how long: no text holds it, and it passes the table.
    return f"{chr(0xF0000 + len(digits))}{digits}"


class _Table(dict[int, str]):
    """A table for `str.translate` that fills itself."""

    def __init__(self, alphabet: Alphabet) -> None:
        super().__init__()
        self._alphabet = alphabet
        self._place = {letter: place for place, letter in enumerate(alphabet.letters)}

    def _parts(self, character: str) -> Iterator[tuple[str, str]]:
        """The letters of a character, each with the marks that make no other letter of it."""
        letters: list[str] = []
        marks: list[str] = []
        for part in "".join(map(self._apart, unicodedata.normalize("NFD", character))):
            if unicodedata.combining(part) in _NO_MARKS:
                letters.append(part)
                continue
            whole = unicodedata.normalize("NFC", letters[-1] + part) if letters else ""
            if self._is_known(whole):
                letters[-1] = whole
            else:
                marks.append(part)
        for letter in "".join(self._alphabet.alike.get(each, each) for each in letters):
            yield letter, "".join(marks)
            marks.clear()
        if marks:
            yield "", "".join(marks)

    def _apart(self, letter: str) -> str:
        return letter if self._is_known(letter) else _APART.get(letter, letter)

    def _is_known(self, letter: str) -> bool:
        return letter in self._place or letter in self._alphabet.alike


class _Letters(_Table):
    """The letters of each character as the key has them."""

    def __missing__(self, code: int) -> str:
        found = "".join(self._weight(letter) for letter, _ in self._parts(chr(code)))
        self[code] = found
        return found

    def _weight(self, letter: str) -> str:
        if letter in self._place:
            return chr(_OWN + self._place[letter])
        if letter.isdecimal():
            return chr(_DIGITS + unicodedata.digit(letter))
        category = unicodedata.category(letter) if letter else "Cf"
        if category == "Cf":  # says how to draw, such as a joiner
            return ""
        if category == "Co" and ord(letter) >= 0xF0000:
            return chr(_COUNT + min(ord(letter) - 0xF0000, _LONGEST_NUMBER))
        # Only letters, numbers and the signs of vowels.
        return chr(min(_OTHER + ord(letter), 0x10FFFF)) if category[0] in "LNM" else _SIGN


class _Marks(_Table):
    """The marks of each character as the key has them, behind a sign for each letter."""

    def __missing__(self, code: int) -> str:
        found = "".join(
            (_NO_MARK if letter else "") + "".join(map(self._weight, marks))
            for letter, marks in self._parts(chr(code))
        )
        self[code] = found
        return found

    def _weight(self, mark: str) -> str:
        known = self._alphabet.marks + _MARKS
        return chr(_DIGITS + known.index(mark)) if mark in known else chr(_OWN + ord(mark))


@cache
def _tables(language: str) -> tuple[_Letters, _Marks]:
    alphabet = lexicon(language).alphabet
    return _Letters(alphabet), _Marks(alphabet)
