"""Numbers of a text in digits, in words, or in both ("1.2 million"), by the tables of `index/language/tables`.

The grammar is one for all languages: units add up, a scale word multiplies what stands before it, a larger scale
word takes in what smaller ones made. What differs between languages is in their tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex

from index.language.digits import Habit, find_digits, habit_of
from index.language.lexicon import NumberWords, languages, lexicon

_WORD = regex.compile(r"[\p{L}\p{M}\u200c\u200d]+(?:['’][\p{L}\p{M}]+)?")
_GAP = regex.compile(r"[ \t\u00a0\u202f\u2009]{0,2}|-")
# A longer word holds no number; it bounds the work on hostile text.
_LONGEST_WORD = 60

Spans = Iterable[tuple[int, int]]
Part = Literal["digits", "unit", "scale", "add", "link", "ordinal"]


@dataclass(frozen=True, slots=True)
class Numeral:
    """One number of a text: code points `start`..`end`.

    `weak`: it may be no number at all, such as an article or an ordinal; `ordinal`: it is one. `in_words`: it has no
    digits. `also`: another value that it may have, the 19 of the century "1800-talet" or the other reading of "1.540";
    else None. `scaled`: a word multiplies it; `first` is then what it multiplies, at the number's beginning, and
    `last_scale` what multiplied the last part, else 1.
    """

    start: int
    end: int
    value: float
    weak: bool
    in_words: bool
    also: float | None = None
    ordinal: bool = False
    scaled: bool = False
    first: float = 0.0
    last_scale: float = 1.0


@dataclass(frozen=True, slots=True)
class _Item:
    part: Part
    word: str
    value: float
    start: int
    end: int
    also: float | None = None


def numerals(plain: str, language: str, *, taken: Spans = (), habit: Habit | None = None) -> list[Numeral]:
    """The numbers of a text in order.

    Args:
        plain: a text with ASCII digits (`fold_digits`).
        language: of the text; words are read in languages that have a table.
        taken: spans that are something else, such as dates.
        habit: how the text groups its digits; None: as its own numbers and its language say.
    """
    words = lexicon(language).numbers if language in languages() else None
    items = _items(plain, words, taken, habit or habit_of(plain, language))
    found, position = [], 0
    while position < len(items):
        numeral, position = _Reading(plain, items, position, words).read()
        if numeral is not None:
            found.append(numeral)
    return found


def _items(plain: str, words: NumberWords | None, taken: Spans, habit: Habit) -> list[_Item]:
    occupied = bytearray(len(plain))
    for first, last in taken:
        occupied[first:last] = b"\1" * (last - first)
    items = []
    for digits in find_digits(plain, habit):
        if digits.readings and not any(occupied[digits.start : digits.end]):
            value, *also = digits.readings
            items.append(_Item("digits", "", value, digits.start, digits.end, also[0] if also else None))
    if words is not None:
        for match in _WORD.finditer(plain):
            start, end = match.span()
            if end - start <= _LONGEST_WORD and not any(occupied[start:end]):
                parts = _parts(regex.sub("['’]", "", match.group()).lower(), words)
                items += [_Item(part, word, value, start, end) for part, word, value in parts]
    return sorted(items, key=lambda item: item.start)


def _parts(word: str, words: NumberWords) -> list[tuple[Part, str, float]]:
    """What a word says in a number: nothing, one part, or several in a compound."""
    known = _known(word, words)
    if known is not None:
        return [known]
    return _segments(word, words) if words.compound else []


def _known(word: str, words: NumberWords) -> tuple[Part, str, float] | None:
    tables: tuple[tuple[Part, Mapping[str, float]], ...] = (
        ("unit", words.units),
        ("scale", words.scale),
        ("add", words.add),
        ("ordinal", words.ordinals),
    )
    for part, table in tables:
        if word in table:
            return part, word, table[word]
    if word in words.link:
        return "link", word, 0.0
    for ending in words.ordinal_endings:
        if word.endswith(ending) and word[: -len(ending)] in words.units:
            return "ordinal", word, words.units[word[: -len(ending)]]
    return None


def _segments(word: str, words: NumberWords) -> list[tuple[Part, str, float]]:
    """The parts of a compound, the longest first; empty when it is no number from end to end."""
    vocabulary = _vocabulary(words.units, words.scale)
    reached: dict[int, list[str]] = {0: []}
    for start in range(len(word)):
        if start in reached:
            for piece in vocabulary.get(word[start : start + 1], ()):
                if word.startswith(piece, start):
                    reached.setdefault(start + len(piece), [*reached[start], piece])
    ends = [len(word), *(len(word) - len(suffix) for suffix in words.suffixes if word.endswith(suffix))]
    for end in ends:
        pieces = reached.get(end)
        if pieces and (len(pieces) > 1 or end < len(word)):
            items = [
                _Item(part, piece, value, 0, 0)
                for part, piece, value in (_known(piece, words) or ("link", piece, 0.0) for piece in pieces)
            ]
            # "Three ten" is no number: such a word only looks like a compound.
            if _Reading("", items, 0, words).read()[1] == len(items):
                bare = end < len(word) and len(pieces) == 1
                return [(item.part, "" if bare else item.word, item.value) for item in items]
    return []


def _vocabulary(units: Mapping[str, float], scale: Mapping[str, float]) -> Mapping[str, tuple[str, ...]]:
    return _by_first(tuple(sorted({*units, *scale}, key=len, reverse=True)))


@lru_cache(maxsize=64)
def _by_first(words: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    firsts = {word[0] for word in words}
    return {first: tuple(word for word in words if word[0] == first) for first in firsts}


class _Reading:
    """Reads the longest number that begins at one item."""

    def __init__(self, plain: str, items: Sequence[_Item], position: int, words: NumberWords | None) -> None:
        self._plain = plain
        self._items = items
        self._first = self._next = position
        self._words = words
        self._total = 0.0
        self._group: float | None = None
        self._smallest = math.inf
        self._unit = 0.0
        self._last: _Item | None = None
        self._digits = self._hundreds = self._linked = False
        self._added = 0.0
        self._repeated = False

    def read(self) -> tuple[Numeral | None, int]:
        """The number, None when the item begins none, and the position after it."""
        first = self._items[self._first]
        if first.part == "ordinal":
            return Numeral(
                first.start, first.end, first.value, weak=True, in_words=True, ordinal=True
            ), self._first + 1
        end = self._first
        vague = self._is_vague()
        while self._next < len(self._items) and self._joins() and self._take(self._items[self._next]):
            self._last = self._items[self._next]
            self._next += 1
            if self._last.part not in {"link", "add"}:
                end = self._next
        if end == self._first:
            return None, self._first + 1
        taken = self._items[self._first : end]
        if vague or self._repeated:
            return None, end
        value = self._total + (self._group or 0.0)
        start, stop = taken[0].start - self._article(taken[0]), taken[-1].end
        if self._goes_on_as_ordinal(end):
            ordinal = self._items[end]
            return Numeral(
                start, ordinal.end, value + ordinal.value, weak=True, in_words=True, ordinal=True
            ), end + 1
        in_words = not any(item.part == "digits" for item in taken)
        also = None if in_words or len(taken) > 1 else taken[0].also or self._century(value, stop)
        scaled = any(item.part == "scale" for item in taken)
        return Numeral(
            start, stop, value, self._is_weak(taken), in_words, also,
            scaled=scaled, first=taken[0].value, last_scale=taken[-1].value if taken[-1].part == "scale" else 1.0,
        ), end  # fmt: skip

    def _goes_on_as_ordinal(self, end: int) -> bool:
        """Whether an ordinal takes up the tens just read: "twenty-first"."""
        if end >= len(self._items) or self._words is None or self._next != end:
            return False
        return (
            self._items[end].part == "ordinal"
            and self._items[end].value < 10
            and self._items[end - 1].word in self._words.tens
            and self._joins()
        )

    def _century(self, value: float, end: int) -> float | None:
        if self._words is None or not 1000 <= value <= 2100 or value % 100:
            return None
        return value // 100 + 1 if self._plain.startswith(self._words.century_after, end) else None

    def _joins(self) -> bool:
        """Whether the next item stands right after the last one."""
        item, last = self._items[self._next], self._last
        if last is None or item.start == last.start:
            return True
        return _GAP.fullmatch(self._plain[last.end : item.start]) is not None

    def _is_vague(self) -> bool:
        """Whether a scale word only says that there are many: "hàng trăm"."""
        first = self._items[self._first]
        return (
            first.part == "scale"
            and self._words is not None
            and bool(self._words.many_before)
            and self._before(first).endswith(tuple(self._words.many_before))
        )

    def _article(self, item: _Item) -> int:
        """How many characters an article takes before a scale word: "a dozen"."""
        if self._words is None or item.part != "scale" or not self._words.articles:
            return 0
        before = self._plain[max(0, item.start - _LONGEST_WORD) : item.start].lower()
        word = before.split()[-1:]
        return len(before) - before.rfind(word[0]) if word and word[0] in self._words.articles else 0

    def _before(self, item: _Item) -> str:
        """What stands before a part, in lower case."""
        return self._plain[max(0, item.start - _LONGEST_WORD) : item.start].rstrip().lower()

    def _is_weak(self, taken: Sequence[_Item]) -> bool:
        if self._words is None:
            return False
        item = taken[0]
        before = self._before(item)
        if item.part != "digits" and before.endswith(tuple(self._words.weak_before)):
            return True
        if len(taken) > 1:
            return False
        # Inside a name: "Seven Years' War".
        if before and item.part != "digits" and self._plain[item.start : item.start + 1].isupper():
            return True
        # "One" and its like are articles in most languages.
        if self._article(item):
            return False
        return item.part == "scale" or item.word in self._words.weak or (item.part, item.value) == ("unit", 1)

    def _take(self, item: _Item) -> bool:
        if item.part == "digits":
            return self._take_digits(item)
        if item.part == "unit":
            return self._take_unit(item)
        if item.part == "scale":
            return self._take_scale(item)
        if item.part == "link":
            return self._take_link()
        if item.part == "add" and self._group is None and not self._digits:
            self._added = item.value
            return self._followed_by({"unit", "digits"})
        return False

    def _take_digits(self, item: _Item) -> bool:
        if self._last is not None and self._last.part != "add" and not self._continues():
            return False
        self._digits = True
        # "1.540 million" is less than two.
        value = item.also if item.also is not None and self._followed_by({"scale"}) else item.value
        self._group, self._unit = value + self._added, 0.0
        return True

    def _continues(self) -> bool:
        """Whether digits after a scale word go on with a smaller one: "1 crore 25 lakh"."""
        following = self._items[self._next + 1] if self._next + 1 < len(self._items) else None
        return (
            self._group is None
            and following is not None
            and following.part == "scale"
            and 1000 <= following.value < self._smallest
        )

    def _take_unit(self, item: _Item) -> bool:
        started = self._last is not None and self._last.part != "add"
        assert self._words is not None  # noqa: S101 - without words there are no units
        alone = item.word in self._words.before_scale and not self._followed_by({"scale"})
        if started and alone and not self._linked:
            return False
        if self._group is None:
            if started and self._digits and not self._continues():
                return False
            self._group = item.value + self._added
        elif self._fits(item):
            self._group += item.value
        else:
            return False
        self._unit, self._linked, self._added = item.value, False, 0.0
        return True

    def _fits(self, item: _Item) -> bool:
        """Whether a unit adds to the group: after a word for tens, or after hundreds."""
        if self._digits or self._group is None or self._last is None or self._words is None:
            return False
        after_tens = self._last.word in self._words.tens or (
            self._last.part == "scale" and self._last.value == 10
        )
        if after_tens:
            return 0 < item.value < 10 and item.word not in self._words.tens
        return self._hundreds and (self._last.part == "link" or self._last.value == 100) and item.value < 100

    def _take_scale(self, item: _Item) -> bool:
        if item.value < 1000:
            return self._take_small_scale(item)
        group = self._group
        # "Thousand thousand" is how some languages say thousands.
        self._repeated = self._repeated or (
            group is None
            and self._last is not None
            and (self._last.part, self._last.value) == ("scale", item.value)
        )
        if group is None and self._last is None:
            group = 1.0
        if group is None:
            self._total *= item.value
        elif item.value < self._smallest:
            self._total += group * item.value
        else:
            self._total = (self._total + group) * item.value
        self._smallest = item.value
        self._group, self._hundreds, self._unit = None, False, 0.0
        return True

    def _take_small_scale(self, item: _Item) -> bool:
        if self._group is None:
            if self._last is not None:
                return False
            self._group = item.value
        elif item.value == 10:
            if self._digits or not 2 <= self._unit <= 9:
                return False
            self._group += self._unit * 9
            self._unit = 0.0
        elif self._hundreds or self._group >= 100:
            return False
        else:
            self._group *= item.value
        self._hundreds = self._hundreds or item.value == 100
        return True

    def _take_link(self) -> bool:
        if self._last is None or self._digits or not (self._hundreds or self._group is None):
            return False
        self._linked = True
        return self._followed_by({"unit"})

    def _followed_by(self, parts: set[Part]) -> bool:
        if self._next + 1 >= len(self._items):
            return False
        item, following = self._items[self._next], self._items[self._next + 1]
        gap = self._plain[item.end : following.start] if following.start >= item.end else ""
        return following.part in parts and _GAP.fullmatch(gap) is not None
