"""Changes of a question or a passage that keep, or on purpose destroy, what is asked.

Every function that changes a passage maps code point to code point, so that the offsets of an answer stay true.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import regex
from anyascii import anyascii
from rapidfuzz.fuzz import ratio

DIGIT_SCRIPTS = {"latin": 0x30, "devanagari": 0x966, "bengali": 0x9E6, "arabic": 0x660}

# Devanagari letters without a twin at the same place of the Bengali block, and the nearest Bengali letter.
_NEAREST = {"व": "ব", "ळ": "ল", "ऱ": "র", "ऍ": "এ", "ऑ": "ও", "ॉ": "ো", "ॅ": "ে", "ऎ": "এ", "ऒ": "ও"}
# Where it is missing, the sign may be dropped by no mapping of one to one: it stays.
_DANDAS = "।॥"


def _bengali_table() -> dict[int, int]:
    table = {}
    for code in range(0x900, 0x980):
        twin = chr(code + 0x80)
        if chr(code) not in _DANDAS and unicodedata.name(twin, "").startswith("BENGALI"):
            table[code] = ord(twin)
    return table | {ord(ours): ord(theirs) for ours, theirs in _NEAREST.items()}


_TO_BENGALI = _bengali_table()
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_CAPITALS = regex.compile(r"(?<=\s)\p{Lu}[\p{L}\p{M}'’.-]*(?:\s\p{Lu}[\p{L}\p{M}'’-]*)*")
_DIGITS = regex.compile(r"(?<![\d.,])\d+(?![\d]|[.,]\d)")
# Languages that write names, and hardly anything else inside a sentence, with a capital.
_WITH_CAPITALS = frozenset({"da", "en", "es", "fi", "fr", "id", "nb", "ro", "sv", "sw", "tr", "vi"})
# How alike two romanised words are when they are one name; by eye on Hindi, Russian and Greek questions.
_SAME_NAME = 76


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a question: code points `start`..`end`, its text there and as English writes it ("" if unknown)."""

    start: int
    end: int
    text: str
    english: str


def to_bengali_script(text: str) -> str:
    """Devanagari letters, signs and digits as the Bengali ones of the same sound; all else, the danda too, stays.

    The two Unicode blocks are laid out alike (both follow ISCII), 0x80 apart. The length stays the same.
    """
    return text.translate(_TO_BENGALI)


def with_digits(text: str, script: str) -> str:
    """The text with every decimal digit in `script`, a key of DIGIT_SCRIPTS. The length stays the same."""
    zero = DIGIT_SCRIPTS[script]
    return "".join(chr(zero + unicodedata.digit(c)) if c.isdecimal() else c for c in text)


def names_in(texts: Mapping[str, str], language: str) -> list[Name]:
    """The names in one wording of a question, given all its wordings by language.

    Where the language has capitals, the words that have one, the first word apart. Else the words that sound like a
    capitalised word of the English wording, when there is one.
    """
    text = texts[language]
    if language in _WITH_CAPITALS:
        return [Name(m.start(), m.end(), m.group(), m.group()) for m in _CAPITALS.finditer(text)]
    english = [word for m in _CAPITALS.finditer(texts.get("en", "")) for word in m.group().split()]
    return [
        Name(match.start(), match.end(), match.group(), best)
        for match in _WORD.finditer(text)
        if (best := _alike(match.group(), english))
    ]


def _alike(word: str, candidates: Sequence[str]) -> str:
    sound = anyascii(word).casefold()
    if len(sound) < 4:
        return ""
    scored = [(ratio(sound, anyascii(name).casefold()), name) for name in candidates if len(name) > 3]
    score, name = max(scored, default=(0.0, ""))
    return name if score >= _SAME_NAME else ""


def latin_names(texts: Mapping[str, str], language: str) -> str:
    """The question with its names in Latin letters, as people type them; unchanged where none is known."""
    text = texts[language]
    for name in reversed(names_in(texts, language)):
        text = text[: name.start] + name.english + text[name.end :]
    return text


def ask_of_another(
    random: Random, texts: Mapping[str, str], language: str, others: Sequence[str]
) -> str | None:
    """The question with one number or name put in the place of its own, so that it asks something else.

    Args:
        random: decides what is changed and to what.
        texts: the question by language.
        language: the wording to change.
        others: names of other questions in that language.

    Returns:
        The changed question; None when it holds neither a number nor a name that could be exchanged.
    """
    text = texts[language]
    numbers = list(_DIGITS.finditer(text))
    names = names_in(texts, language)
    foreign = [other for other in others if not any(_overlap(other, name.text) for name in names)]
    foreign = [other for other in foreign if other.casefold() not in text.casefold()]
    if numbers and (not names or not foreign or random.random() < 0.5):
        match = random.choice(numbers)
        return text[: match.start()] + _other_number(random, match.group()) + text[match.end() :]
    if names and foreign:
        name = random.choice(names)
        return text[: name.start] + random.choice(foreign) + text[name.end :]
    return None


def _overlap(one: str, other: str) -> bool:
    """Whether two names share a word, so that one may stand for the other."""
    return bool(set(one.casefold().split()) & set(other.casefold().split()))


def _other_number(random: Random, number: str) -> str:
    """A number of the same length and, for a year, of the same centuries, that is another one."""
    value, size = int(number), len(number)
    low, high = (0, 9) if size == 1 else (10 ** (size - 1), 10**size - 1)
    if size == 4 and 1000 <= value < 2100:
        low, high = max(1000, value - 120), min(2099, value + 120)
    while (changed := random.randint(low, high)) == value:
        pass
    return str(changed)
