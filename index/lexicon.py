"""The language tables of `index/languages/*.toml`: notices, question cues, quantity words, stop words."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FALLBACK = "en"
_FOLDER = Path(__file__).parent / "languages"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language's table; every phrase is in lower case as written there.

    Attributes:
        notices: templates for answers and refusals, by name.
        labels: what the chat page shows around them, by name; English where a table lacks one.
        question: phrases that show what a question asks for, by kind ("count", "date", ...).
        quantity: words that bound a number, by kind ("more", "about", ...).
        scale: words that multiply the number before them.
        stop: words that carry no content.
        join: words that join clauses.
        endings: case endings glued to words, longest first.
    """

    language: str
    name: str
    notices: Mapping[str, str]
    labels: Mapping[str, str]
    question: Mapping[str, tuple[str, ...]]
    quantity: Mapping[str, tuple[str, ...]]
    scale: Mapping[str, float]
    stop: frozenset[str]
    join: tuple[str, ...]
    endings: tuple[str, ...]


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
    quantity = {kind: tuple(words) for kind, words in table["quantity"].items() if kind != "scale"}
    return Lexicon(
        language=path.stem,
        name=table["name"],
        notices=table["notices"],
        labels=_labels(path.stem, table),
        question={kind: tuple(phrases) for kind, phrases in table["question"].items()},
        quantity=quantity,
        scale=table["quantity"]["scale"],
        stop=frozenset(table["words"]["stop"]),
        join=tuple(table["words"]["join"]),
        endings=tuple(table["words"]["endings"]),
    )


def _labels(language: str, table: Mapping[str, dict[str, str]]) -> Mapping[str, str]:
    own = table.get("labels", {})
    return own if language == FALLBACK else {**lexicon(FALLBACK).labels, **own}


@cache
def all_lexicons() -> tuple[Lexicon, ...]:
    """Every table."""
    return tuple(lexicon(language) for language in languages())
