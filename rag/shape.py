"""What form an answer must have: a few words, every item of a list, yes or no, both sides of a comparison, a reason.

Words of the language tables decide (`[shape]`), as they do what a question asks for (`rag.question`). A text that asks
several questions is taken apart into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Literal

import regex

from index.language.lexicon import Lexicon, languages, lexicon
from index.language.terms import fold, split_words
from rag.question import Question

Shape = Literal["words", "list", "yes_no", "comparison", "reason"]

MOST_PARTS = 4
"""Questions that a text is taken apart into at most; chosen: each costs an answer of its own."""
# Chosen: fewer words are no question of their own.
_SHORTEST_PART = 2
# A question word stands among so many words at the beginning. Chosen: behind a preposition ("in which year").
_OPENING = 2
_SENTENCE_END = regex.compile(r"(?<=[?？])\s*")
_MARKS = " \t\n?？!.।,:;…"


def shape_of(question: Question) -> Shape:
    """The form of a question's answer."""
    if question.kind in {"reason", "manner"}:
        return "reason"
    table = lexicon(question.language)
    plain = fold(question.text).strip(_MARKS)
    if holds(plain, table.shape.get("comparison", ())):
        return "comparison"
    if not question.wants_number and not question.wants_date and _lists(plain, table):
        return "list"
    return "yes_no" if _is_yes_no(plain, table) else "words"


def topic_of(text: str) -> tuple[str, str]:
    """What a text wants to be told about, whatever there is ("tell me about ..."), and the language it says so in.

    Returns ("", "") for any other text. A title in it may be in another language than the rest.
    """
    plain = _spaced(text)
    for phrase, language in _about():
        before, found, after = plain.partition(phrase)
        if found and bool(before.strip()) is not bool(after.strip()):
            return (before + after).strip(), language
    return "", ""


@cache
def _about() -> tuple[tuple[str, str], ...]:
    """Every language's phrases, the longest first."""
    found = [
        (_spaced(each), language) for language in languages() for each in lexicon(language).shape["about"]
    ]
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))


def parts_of(text: str, language: str) -> tuple[str, ...]:
    """The questions that a text asks, in order, each in its own words; the text alone where it asks one.

    Sentences with a question mark are questions of their own, and so are two sides of "and" that both ask something.
    """
    table = lexicon(language)
    found = [
        part
        for sentence in _SENTENCE_END.split(text)
        if sentence.strip(_MARKS)
        for part in _sides(sentence.strip(), table)
    ]
    if not 1 < len(found) <= MOST_PARTS or not all(_asks(part, table) for part in found):
        return (text,)
    return tuple(found)


def _sides(sentence: str, table: Lexicon) -> list[str]:
    """A sentence, taken apart at words that join two questions."""
    joining = _joining(table.language)
    if joining is None:
        return [sentence]
    first, *rest = joining.split(sentence)
    sides = [first]
    for joint, piece in zip(rest[::2], rest[1::2], strict=True):
        if _asks(sides[-1], table) and _asks_on(piece, table):
            sides.append(piece)
        else:
            sides[-1] += joint + piece
    return [side.strip(" ,;") for side in sides]


def _asks(text: str, table: Lexicon) -> bool:
    """Whether a text holds a question word, or can be answered by yes or no."""
    words = split_words(fold(text))
    if len(words) < _SHORTEST_PART:
        return False
    return not set(words).isdisjoint(table.shape.get("asking", ())) or _is_yes_no(
        fold(text).strip(_MARKS), table
    )


def _asks_on(text: str, table: Lexicon) -> bool:
    """Whether what follows "and" is a question of its own: its question word stands where the language puts it, or it
    is answered by yes or no and names who or what it is about ("and is there a fee", but not "and are open")."""
    words = split_words(fold(text))
    where = words if table.asking_anywhere else words[:_OPENING]
    if len(words) < _SHORTEST_PART or not set(where).isdisjoint(table.shape.get("asking", ())):
        return len(words) >= _SHORTEST_PART
    subjects = table.shape.get("yes_no_subjects", ())
    return _is_yes_no(fold(text).strip(_MARKS), table) and (not subjects or words[1] in subjects)


def _lists(plain: str, table: Lexicon) -> bool:
    listed = _listed(table.language)
    return holds(plain, table.shape.get("list", ())) or (
        listed is not None and listed.search(plain) is not None
    )


def _is_yes_no(plain: str, table: Lexicon) -> bool:
    """Whether a folded question without marks opens, closes or is marked as one that yes or no answers."""
    first, inside, verbs, last = (
        table.shape.get(f"yes_no_{place}", ()) for place in ("first", "inside", "verbs", "last")
    )
    words = split_words(plain)
    asking = set(table.shape.get("asking", ())) - {fold(word) for word in (*first, *inside)}
    if not asking.isdisjoint(words):
        return False
    padded = f" {' '.join(words)} "
    return (
        any(padded.startswith(f" {fold(phrase)} ") for phrase in first)
        or any(padded.endswith(f" {fold(phrase)} ") for phrase in last)
        or (
            any(fold(word) in words[1:-1] for word in inside)
            and any(padded.endswith(f" {fold(verb)} ") for verb in verbs)
        )
    )


def holds(text: str, phrases: Sequence[str]) -> bool:
    """Whether a text has one of some phrases, as whole words, in whichever case; "…" stands for up to three words."""
    padded = f" {' '.join(split_words(fold(text)))} "
    return any(
        _apart(*map(_spaced, phrase.split("…"))).search(padded) is not None
        if "…" in phrase
        else _spaced(phrase) in padded
        for phrase in phrases
    )


def _spaced(phrase: str) -> str:
    return f" {' '.join(split_words(fold(phrase)))} "


@cache
def _apart(before: str, after: str) -> regex.Pattern[str]:
    return regex.compile(rf"{regex.escape(before)}(?:\S+ ){{0,3}}{regex.escape(after.lstrip())}")


@cache
def _joining(language: str) -> regex.Pattern[str] | None:
    """Words that join, as groups of their own so that splitting keeps them."""
    words = sorted(map(regex.escape, lexicon(language).shape.get("joining", ())), key=len, reverse=True)
    return regex.compile(rf"(\s*,?\s+(?:{'|'.join(words)})\s+)", regex.IGNORECASE) if words else None


@cache
def _listed(language: str) -> regex.Pattern[str] | None:
    form = lexicon(language).listed
    return regex.compile(form) if form else None
