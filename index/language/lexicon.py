"""The language tables of `index/language/tables/*.toml`: question cues, quantity words, stop words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FALLBACK = "en"
CAPITAL_NOUNS = frozenset({"de", "lb"})
"""Languages, none of them with a table, that write every noun with a capital: there a capital does not make a name."""
_FOLDER = Path(__file__).parent / "tables"


@dataclass(frozen=True, slots=True)
class NumberWords:
    """How a language writes numbers in words; every word is in lower case.

    Attributes:
        units: words with the value they add.
        tens: those of them that a unit may follow ("twenty").
        scale: words that multiply what stands before them.
        add: what a word adds to the number after it ("half more").
        link: words that may stand between the parts of a number.
        fractions: phrases for a part of one ("two thirds").
        half_after: phrases after a number that add to its last part ("and a half").
        weak: words that alone are articles, pronouns or other words too.
        before_scale: units that are numbers only where a scale word follows.
        ordinals: words for places in an order.
        ordinal_endings: what makes a unit an ordinal.
        weak_before: words that make the number after them an ordinal, or part of a pronoun ("both").
        many_before: words that make the scale word after them say "many" and no number.
        articles: words that are no number and stand for one before a scale word ("a dozen").
        century_after: what makes "1800" the 19th century.
        suffixes: what is glued to a number.
        months: spellings of month names beside those of CLDR.
        percent_before: words for "per hundred" that stand before the number.
        compound: whether one word may hold several of these.
    """

    units: Mapping[str, float]
    tens: frozenset[str]
    scale: Mapping[str, float]
    add: Mapping[str, float]
    link: frozenset[str]
    fractions: Mapping[str, float]
    half_after: Mapping[str, float]
    weak: frozenset[str]
    before_scale: frozenset[str]
    ordinals: Mapping[str, float]
    ordinal_endings: tuple[str, ...]
    weak_before: frozenset[str]
    many_before: frozenset[str]
    articles: frozenset[str]
    century_after: tuple[str, ...]
    suffixes: tuple[str, ...]
    months: Mapping[str, int]
    percent_before: tuple[str, ...]
    compound: bool


@dataclass(frozen=True, slots=True)
class Alphabet:
    """How a language orders its letters; all in lower case, composed (NFC).

    Attributes:
        letters: in their order. A letter with a mark that is none of them stands beside the letter without it.
        alike: letters that stand where another one, or several, would.
        marks: combining marks in their order, after no mark at all; others follow.
    """

    letters: str = ""
    alike: Mapping[str, str] = field(default_factory=dict)
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language's table; every phrase is in lower case as written there.

    Attributes:
        called: what people call it, beside CLDR's names.
        question: phrases that show what a question asks for, by kind ("count", "date", ...).
        quantity: words around a number by what they say of it ("more", "percent", "money", ...).
        scale: words that multiply the number before them.
        currencies: words for money by names that the tables share, the one to say first.
        stop: words that carry no content.
        endings: case endings glued to words, longest first.
        numbers: how numbers are written in words.
        conversation: words by which a question leans on the turns before it, by what they do; may lack any.
        completed: templates for questions completed from those turns, by name; English where a table lacks one.
        shape: words that tell what form an answer must have, by form (`rag.shape`).
        listed: the form of questions for every item, a regular expression; empty where words tell it.
        asking_anywhere: whether its question words may stand anywhere in a question.
        alphabet: how lists are ordered for its readers.
        sounds: Latin letters heard in its own way, as index/language/sounds.toml writes them.
        sentences: words with a point: that stand before others ("before"), before numbers alone, names of letters
            ("initials"), and those that are no abbreviations ("whole").
        letters: those that no other language has.
        bare_word: how each of its words looks without diacritics, a regular expression; empty where they have none.
        syllabic: whether each syllable of a name has a capital.
        inside_names: small words that stand inside names.
        before_names: words that open a sentence before a name and are no part of it.
        adjectives: endings of words with a capital that only say where something belongs ("Indian").
        romanised: its words without content as people write them in Latin letters; empty where those are its own.
    """

    language: str
    name: str
    called: tuple[str, ...]
    question: Mapping[str, tuple[str, ...]]
    quantity: Mapping[str, tuple[str, ...]]
    scale: Mapping[str, float]
    currencies: Mapping[str, tuple[str, ...]]
    stop: frozenset[str]
    endings: tuple[str, ...]
    numbers: NumberWords
    conversation: Mapping[str, tuple[str, ...]]
    completed: Mapping[str, str]
    shape: Mapping[str, tuple[str, ...]]
    listed: str
    asking_anywhere: bool
    alphabet: Alphabet
    sounds: Mapping[str, list[list[str]]]
    sentences: Mapping[str, list[str]]
    letters: frozenset[str]
    bare_word: str
    romanised: frozenset[str]
    syllabic: bool
    inside_names: frozenset[str]
    before_names: frozenset[str]
    adjectives: tuple[str, ...]


@cache
def languages() -> tuple[str, ...]:
    """The languages that have a table, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def lexicon(language: str) -> Lexicon:
    """A language's table, or the English one where there is none."""
    path = _FOLDER / f"{language if language in languages() else FALLBACK}.toml"
    with path.open("rb") as file:
        table = tomllib.load(file)
    conversation, detection = table.get("conversation", {}), table.get("detection", {})
    shape = table.get("shape", {})
    quantity = {kind: tuple(words) for kind, words in table["quantity"].items() if kind != "scale"}
    return Lexicon(
        language=path.stem,
        name=table["name"],
        called=tuple(table.get("called", ())),
        question={kind: tuple(phrases) for kind, phrases in table["question"].items()},
        quantity=quantity,
        scale=table["quantity"]["scale"],
        currencies={name: tuple(words) for name, words in table.get("currencies", {}).items()},
        stop=frozenset(table["words"]["stop"]),
        endings=tuple(table["words"]["endings"]),
        conversation={kind: tuple(words) for kind, words in conversation.items() if isinstance(words, list)},
        completed=_completed(path.stem, conversation),
        numbers=_numbers(table["numbers"], table["quantity"]["scale"]),
        shape={name: tuple(words) for name, words in shape.items() if isinstance(words, list)},
        listed=shape.get("listed", ""),
        asking_anywhere=shape.get("asking_anywhere", False),
        alphabet=Alphabet(**table.get("alphabet", {})),
        sounds=table.get("sounds", {}),
        sentences=table.get("sentences", {}),
        letters=frozenset(detection.get("letters", "")),
        bare_word=detection.get("bare_word", ""),
        romanised=frozenset(detection.get("romanised", ())),
        syllabic=table.get("names", {}).get("syllabic", False),
        inside_names=frozenset(table.get("names", {}).get("inside", ())),
        before_names=frozenset(table.get("names", {}).get("before", ())),
        adjectives=tuple(table.get("names", {}).get("adjectives", ())),
    )


def _numbers(table: Mapping[str, Any], scale: Mapping[str, float]) -> NumberWords:
    tens = table.get("tens", {})
    return NumberWords(
        units={**_by_position(table["counting"], first=0), **tens, **table.get("parts", {})},
        tens=frozenset(tens),
        scale={**scale, **table.get("scale", {})},
        add=table.get("add", {}),
        link=frozenset(table.get("link", ())),
        fractions=table.get("fractions", {}),
        half_after=table.get("half_after", {}),
        weak=frozenset(table.get("weak", ())),
        before_scale=frozenset(table.get("before_scale", ())),
        ordinals=_by_position(table.get("ordinals", ()), first=1),
        ordinal_endings=tuple(table.get("ordinal_endings", ())),
        weak_before=frozenset(table.get("weak_before", ())),
        many_before=frozenset(table.get("many_before", ())),
        articles=frozenset(table.get("articles", ())),
        century_after=tuple(table.get("century_after", ())),
        suffixes=tuple(table.get("suffixes", ())),
        months=table.get("months", {}),
        percent_before=tuple(table.get("percent_before", ())),
        compound=table.get("compound", False),
    )


def _by_position(entries: Sequence[str], *, first: int) -> dict[str, float]:
    """Each spelling of each entry -> its place in the list; spellings are separated by a space."""
    return {word: float(value) for value, entry in enumerate(entries, first) for word in entry.split()}


def _completed(language: str, conversation: Mapping[str, object]) -> Mapping[str, str]:
    own = {name: text for name, text in conversation.items() if isinstance(text, str)}
    return own if language == FALLBACK else {**lexicon(FALLBACK).completed, **own}


@cache
def all_lexicons() -> tuple[Lexicon, ...]:
    """Every table."""
    return tuple(lexicon(language) for language in languages())
