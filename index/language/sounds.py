"""How a word is heard, in any script: what brings a name together with itself in another script.

A word is *heard* as groups of sounds, by `sounds.toml` and the [sounds] of its language's table: "Can Tho", "Cần
Thơ" and
"ক্যান থো" are "kan", "tu". Its *key* is its consonants, those that are written for each other taken as one; a word of
fewer than three also shows whether it begins and ends with a vowel ("l-m-"), and its key is not joined with another's.
A key is a hint for recall, never evidence: `alike` compares what is heard.

Letters that may be heard in several ways ("c", "য") have one key in the index; a question looks for all of them, so
that the index stays small. Why not a transliterator, measured by `python -m eval.studies.names`:
docs/decisions/0003-names-across-scripts.md.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, combinations, islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import regex
from anyascii import anyascii
from rapidfuzz.distance import JaroWinkler

from index.language.lexicon import languages, lexicon

# The ways in which a letter may be heard, the usual one first.
Ways: TypeAlias = tuple[str, ...]

SHORTEST_KEY = 3
# From here on (`alike`) two words with one key are one name, by how many consonants they have: the fewer sounds, the
# less may differ. Chosen on CLDR's names: docs/decisions/0003-names-across-scripts.md.
_ALIKE = (1.0, 0.97, 0.905, 0.9, 0.86)
_ALIKE_LONG = 0.8
# Two words run together with fewer consonants tell too little.
_FEWEST_OF_PAIRS = 2
# How many ways of hearing one word a question looks for. Of CLDR's names 1 in 50 has more.
_MOST_WAYS = 16
# How many of its letters are then not heard in their usual way.
_MOST_CHANGES = 2

_UNHEARD = regex.compile(r"[\p{N}\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_INDIC = re.compile("[ऀ-ൿ]")
_JOIN, _POINT = 0x4D, 0x3C
_FIRST_SIGN = 0x3E  # vowels from here on are written at a consonant
_INDIC_BLOCKS = range(0x0900, 0x0D80, 0x80)
_LEFT_OUT = (".",)
# What anyascii writes as another letter than the one heard.
_SOFT = str.maketrans({**dict(zip("çšžčşţćđ", "ssjcstcd", strict=True)), "é": "ee"})
_NOT_LETTERS = re.compile("[^a-z]")
_CONSONANT = re.compile("[^aiu.]")
_DOUBLE = re.compile(r"(.)\1+")
_BEFORE_LIPS = re.compile("n(?=[pb])")
# Consonants that scripts and languages write for each other have one letter in keys.
_CONSONANTS = str.maketrans("cjfvN", "sspbn", "aiu.")


class Sound(NamedTuple):
    """How a word is heard.

    Attributes:
        key: what it is found by; empty where nothing is heard or too little to tell.
        heard: what `alike` compares.
        consonants: what stands in the key of this word and one behind it, run together.
        inner: what stands in the key of this word and one before it.
    """

    key: str
    heard: str
    consonants: str
    inner: str


_NOTHING = Sound("", "", "", "")


@lru_cache(maxsize=65536)
def sound(word: str, language: str) -> Sound:
    """How a word is usually heard: what the index holds of it."""
    return _sound("".join([ways[0] for ways in _ways(word, language)]))


@lru_cache(maxsize=8192)
def sounds_of(word: str, language: str) -> tuple[Sound, ...]:
    """All ways in which a word may be heard, the usual one first: what a question looks for."""
    heard = dict.fromkeys(_sound(letters) for letters in _spelt_out(_ways(word, language)))
    return tuple(islice(heard, _MOST_WAYS))


def _spelt_out(ways: Sequence[Ways]) -> Iterator[str]:
    """What may be heard of a word's letters: the usual, then with one letter heard otherwise, then with two."""
    usual = [each[0] for each in ways]
    others = [(place, way) for place, each in enumerate(ways) for way in each[1:]]
    for changes in chain.from_iterable(combinations(others, count) for count in range(_MOST_CHANGES + 1)):
        letters = usual.copy()
        for place, way in changes:
            letters[place] = way
        yield "".join(letters)
        if "n.g" in (heard := "".join(letters)):  # "नगर" has a vowel there, "किशनगढ़" has none
            yield heard.replace("n.g", "ng")


def joined(left: Sound, right: Sound) -> Sound:
    """Two adjacent words run together; a transliterator writes "Can Tho" as one word or two as it likes."""
    consonants = left.consonants + right.inner
    if not left.heard or not right.heard or len(consonants) < _FEWEST_OF_PAIRS:
        return _NOTHING
    heard = left.heard + right.heard.removeprefix("h")
    return Sound(_key(heard, consonants), heard, consonants, consonants)


def _sound(letters: str) -> Sound:
    heard = letters[:1] + letters[1:].replace(".h", "").replace("h", "") if "h" in letters else letters
    heard = _DOUBLE.sub(r"\1", heard.replace("ng", "N"))
    consonants = heard.translate(_CONSONANTS)
    if "n" in consonants:
        consonants = _BEFORE_LIPS.sub("m", consonants)
    return Sound(_key(heard, consonants), heard, consonants, consonants.removeprefix("h"))


def _key(heard: str, consonants: str) -> str:
    if len(consonants) >= SHORTEST_KEY or not consonants:
        return consonants
    if len(consonants) == 1:
        key = heard.replace(".", "a")
        return key if len(key) >= SHORTEST_KEY else ""
    begins, ends = ("-" if heard[place] in "aiu." else "" for place in (0, -1))
    return f"{begins}{'-'.join(consonants)}{ends}"


# -- what is heard of the letters


def _ways(word: str, language: str) -> Sequence[Ways]:
    if word.isascii():
        return _latin(word.lower(), language)
    if _UNHEARD.search(word):
        return ()
    word = unicodedata.normalize("NFC", word).lower()
    if _INDIC.search(word):
        return _indic(word)
    return _latin(anyascii(word.translate(_SOFT)).lower(), language)


def _latin(word: str, language: str) -> list[Ways]:
    if not word.isalpha():
        if any(map(str.isdecimal, word)):
            return []
        word = _NOT_LETTERS.sub("", word)
    spelling = _spelling(language)
    ways: list[Ways] = []
    position = 0
    while position < len(word):
        letter = word[position]
        match = spelling[letter][0].match(word, position) if letter in spelling else None
        if match is None:
            twice = position and word[position - 1] == letter and letter not in "aeiou"
            ways.append((letter, f".{letter}") if twice else (letter,))  # "Chandannagar": चंदननगर
            position += 1
        else:
            ways.append(spelling[letter][1][match.lastindex or 0])
            position = match.end()
    return ways


def _indic(word: str) -> list[Ways]:
    """Letter by letter; between two consonants that nothing joins stands a vowel that is not written."""
    ways: list[Ways] = []
    known, waiting, position = _letters(), False, 0
    while position < len(word):
        for size in (3, 2, 1):
            letter = known.get(word[position : position + size])
            if letter is not None:
                break
        else:
            position += 1
            continue
        position += size
        if letter.stands_alone and waiting:
            ways.append(_LEFT_OUT)
        waiting = letter.waits
        ways.append(letter.ways)
    return ways


class _Letter(NamedTuple):
    """A letter of an Indic script: its ways, whether a vowel may be left out before it, and behind it."""

    ways: Ways
    stands_alone: bool
    waits: bool


@cache
def _letters() -> dict[str, _Letter]:
    """Letters, consonants with a point, and consonants that are joined -> what is heard."""
    table = _table()["indic"]
    common = {name: table.pop(name) for name in ("vowels", "consonants", "pointed", "joined")}
    blocks = {row["start"]: row for row in table.values()}
    found: dict[str, _Letter] = {}
    for block in _INDIC_BLOCKS:
        join = chr(block + _JOIN)
        found[join] = _Letter(("",), False, False)
        for row in (common, blocks.get(block, {})):
            for ways, (place,) in _places(row.get("vowels", {})):
                found[chr(block + place)] = _Letter(ways, not _FIRST_SIGN <= place <= 0x57, False)
            for ways, (place,) in _places(row.get("consonants", {})):
                found[chr(block + place)] = _Letter(ways, True, True)
            for ways, (place,) in _places(row.get("pointed", {})):
                found[chr(block + place) + chr(block + _POINT)] = _Letter(ways, True, True)
            for ways, (place,) in _places(row.get("after", {})):
                found[join + chr(block + place)] = _Letter(ways, False, True)
            for ways, groups in row.get("together", {}).items():
                for group in groups:
                    first, *others = _read_places(group)
                    letters = "".join(chr(block + place) for place in (first, *others))
                    found[letters] = _Letter(_read(ways), first < _FIRST_SIGN, False)
        for ways, (first, second) in _places(common["joined"], together=True):
            found[join.join((chr(block + first), chr(block + second)))] = _Letter(ways, True, True)
    return found


def _places(row: Mapping[str, str], *, together: bool = False) -> Iterable[tuple[Ways, list[int]]]:
    for ways, text in row.items():
        places = _read_places(text)
        for group in [places] if together else [[place] for place in places]:
            yield _read(ways), group


def _read_places(text: str) -> list[int]:
    return [int(place, 16) for place in text.split()]


@cache
def _spelling(language: str) -> dict[str, tuple[re.Pattern[str], tuple[Ways, ...]]]:
    """By first letter: where it is not heard as written, and what is heard, by the number of the group that fits."""
    own = lexicon(language).sounds if language in languages() else {}
    common = _table()["latin"]
    found = {}
    for letter in {*own, *common}:
        rules = [*own.get(letter, ()), *common.get(letter, ())]
        pattern = re.compile("|".join(f"({letters})" for letters, _ in rules))
        found[letter] = pattern, ((), *(_read(ways) for _, ways in rules))
    return found


def _read(ways: str) -> Ways:
    return tuple("" if way == "-" else way for way in ways.split())


def _table() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "sounds.toml").read_text("utf-8"))


# -- how alike two words sound

# What it costs when a consonant stands for another one of its key, as a share of a consonant.
_OTHER = 0.3
_COSTS = {"cs": 0.3, "js": 0.4, "cj": 0.4, "fp": 0.35, "bv": 0.25, "Nn": 0.2}
# What the vowels between two consonants cost at most.
_VOWEL = 0.6
# A word counts as this much longer than its consonants: one difference tells less in a long name.
_LENGTH = 1.2


def one_name(left: str, right: str) -> bool:
    """Whether what is heard of two words with one key may be one name."""
    if left == right:
        return True
    size = len(_CONSONANT.findall(left))
    return alike(left, right) >= (_ALIKE[size] if size < len(_ALIKE) else _ALIKE_LONG)


@lru_cache(maxsize=65536)
def alike(left: str, right: str) -> float:
    """How alike what is heard of two words with one key is; 1: the same, 0 or less: nothing in common."""
    if left == right:
        return 1.0
    first, second = _CONSONANT.findall(left), _CONSONANT.findall(right)
    if len(first) != len(second) or not first:  # a double one in one of them
        return float(JaroWinkler.similarity(left, right))
    cost = sum(
        _COSTS.get(min(a, b) + max(a, b), _OTHER) for a, b in zip(first, second, strict=True) if a != b
    )
    vowels = zip(_CONSONANT.split(left), _CONSONANT.split(right), strict=True)
    cost += _VOWEL * sum(_vowel_cost(a, b, place == 0) for place, (a, b) in enumerate(vowels) if a != b)
    return 1 - cost / (_LENGTH * len(first))


@cache
def _vowel_cost(left: str, right: str, first: bool) -> float:
    """How different two runs of vowels are, in [0, 1]; "." is one that a script leaves out."""
    few, many = sorted((left, right))
    if few == "":
        if many == ".":
            return 0.0
        return 1.0 if first else 0.5 if len(many) == 1 else 0.8
    if few == ".":
        return {"a": 0.0, "u": 0.1, "i": 0.2}.get(many, 0.4)
    some, others = set(few) - {"."}, set(many) - {"."}
    if some == others:
        return 0.05
    if some & others:
        return 0.1 + 0.25 * abs(len(some) - len(others))
    return 0.4 if "a" in some | others and len(some) == len(others) == 1 else 1.0
