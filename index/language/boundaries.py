"""Where sentences end: sentencex, which knows the danda and about 300 languages, put right where it cuts too early.

A point ends nothing between digits of any script, behind an abbreviation or an initial of the language, or behind an
enumerator ("1.", "a)", "२."), which belongs to what follows it. What a language abbreviates is in its table, under
[sentences]. Measured with sentencex 1.0: its time grows with the square of a line's length, and it holds the
interpreter's lock (300,000 opening quotes: 65 s), so it is given pieces of `_AT_ONCE`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import regex
from sentencex import get_sentence_boundaries

from index.language.lexicon import lexicon
from index.language.terms import fold
from index.types import UNDETERMINED

# Characters that sentencex is given at once: 1.3 ms at worst.
_AT_ONCE = 2000
# Looked at before and behind a boundary: longer words are not words.
_AROUND = 80

_SPACE = regex.compile(r"\s+")
_END = regex.compile(r"(?:(?![.])\p{STerm}|(?<=\p{L}{3})[.])[\p{Pe}\p{Pf}\"']*\s+")
# A word and the point behind it, at the end of what comes before a boundary.
_POINTED = regex.compile(r"(?<![\p{L}\p{M}\p{N}])([\p{L}\p{M}\p{N}.'’-]*?[\p{L}\p{M}\p{N}])\.$")
_ENUMERATOR = regex.compile(
    r"\s*[\p{Ps}]?(?:(?:\p{N}{1,3}\.)*\p{N}{1,3}|\p{Lu}|\p{Ll}|[\u0900-\u0D7F]\p{M}*|[ivxIVX]{1,5})(?:[.)]|\.\))\s*"
    r"|\s*[\u0966-\u096F\u09E6-\u09EF]{1,3}\u0964\s*"  # "২।"
)
# What names a thing by its number where it opens a line: "Article 3.".
_LABEL = regex.compile(
    r"\s*(?P<word>[\p{L}\p{M}]+)[ \u00a0]+(?:(?:\p{N}{1,3}\.)*\p{N}{1,3}|[IVXLC]{1,6})[.।:]\s*"
)
_INITIAL = regex.compile(r"(?:\p{Lu}\p{M}*\.-?)*\p{Lu}\p{M}*")
_FIRST_WORD = regex.compile(r"[\p{L}\p{M}]+")
# Signs of units look like initials and abbreviations: "20 °C. ", "45 kr/st. ".
_UNIT_ENDS = regex.compile(r"(?<=[°/]\p{L}{1,3})\.\s+(?=\p{Lu})")
# "f.Kr", "डि.से": letters with points between them.
_DOTTED = regex.compile(r"(?:[\p{L}\p{M}]{1,6}\.)+[\p{L}\p{M}]{1,6}")
_DANDA = "।"
# Letters of an abbreviation where sentences end with a danda; longer words end one with a point now and then.
_SHORT = 3
_CUT_HERE = regex.compile(r"(?<=[\p{Ll}.]\p{Ll})\.[\p{Pe}\p{Pf}\"']*\s+(?=\p{Lu})")


def sentence_spans(line: str, language: str) -> Iterator[tuple[int, int]]:
    """The sentences of a line, as offsets that together hold all of it but white space between them."""
    start = 0
    for end in _ends(line, language):
        if line[start:end].strip():
            yield start, end
            start = end
    if line[start:].strip():
        yield start, len(line)


def enumerated(line: str, language: str = UNDETERMINED) -> int:
    """How many characters an enumerator or label ("Article 3.") takes at the start of a line, white space with it;
    0 without one."""
    found = _ENUMERATOR.match(line, 0, _AROUND)
    if found is None:
        label = _LABEL.match(line, 0, _AROUND)
        found = label if label and _is_label(label["word"], language) else None
    return found.end() if found and found.end() < len(line) and line[found.end() - 1].isspace() else 0


def _ends(line: str, language: str) -> Iterator[int]:
    """Where sentences end, in order; the end of the line is not among them."""
    start = 0  # of the sentence
    danda = _DANDA in line
    cuts = _rough_ends(line, language)
    for end in cuts:
        before, after = line[max(start, end - _AROUND) : end], line[end : end + _AROUND]
        if not after.strip() or not line[start:end].strip():
            continue
        label = _LABEL.fullmatch(line, start, end)
        if _ENUMERATOR.fullmatch(line, start, end) or (label and _is_label(label["word"], language)):
            continue
        if _goes_on(before, after, line[start : start + _AROUND], language) or (
            danda and _is_short(before, language)
        ):
            continue
        yield end
        start = end


def _rough_ends(line: str, language: str) -> list[int]:
    """Ends by sentencex, and those that it leaves out before a word that has a capital only where it opens a
    sentence."""
    code = "en" if language == UNDETERMINED else language
    found: set[int] = set()
    for start, end in _windows(line):
        position = start
        for boundary in get_sentence_boundaries(code, line[start:end]):
            # The text of a boundary is a slice of the line; its offsets are recomputed here, so that a library
            # that counts in other units can never shift a quote.
            at = line.find(boundary["text"], position, end)
            if at >= 0:
                position = at + len(boundary["text"])
                found.add(position)
        if position == end and not _END.fullmatch(line, max(start, end - _AROUND), end):
            found.discard(end)  # the window ended, not a sentence
    for match in _CUT_HERE.finditer(line):
        if _opens(line[match.end() : match.end() + _AROUND], language) or _is_whole(
            line[max(0, match.start() - _AROUND) : match.start() + 1], language
        ):
            found.add(match.end())
    found.update(match.end() for match in _UNIT_ENDS.finditer(line))
    return sorted(found)


def _windows(line: str) -> Iterator[tuple[int, int]]:
    """Pieces of a line of at most `_AT_ONCE` characters: cut behind a sentence, else at a space."""
    start = 0
    while len(line) - start > _AT_ONCE:
        limit = start + _AT_ONCE
        ends = [match.end() for match in _END.finditer(line, start + _AT_ONCE // 2, limit)]
        if not ends:
            ends = [match.end() for match in _SPACE.finditer(line, start + _AT_ONCE // 2, limit)]
        end = ends[-1] if ends else limit
        yield start, end
        start = end
    yield start, len(line)


def _goes_on(before: str, after: str, opening: str, language: str) -> bool:
    """Whether a sentence, which begins with `opening`, goes on over a boundary behind a point."""
    spaced = before[-1:].isspace() or after[:1].isspace()
    before, after = before.rstrip(), after.lstrip()
    if not before.endswith("."):
        return False
    if not spaced:
        return _inside_a_word(before[:-1], after, language)
    if _UNIT_ENDS.search(f"{before} {after[:1]}"):
        return False
    if after[:1].islower() and opening.lstrip()[:1].isupper() and not _ENUMERATOR.match(after):
        return True
    pointed = _POINTED.search(before)
    return pointed is not None and _abbreviated(pointed.group(1), after, language)


def _is_label(word: str, language: str) -> bool:
    """Whether a word names a part of a text by its number."""
    words = lexicon(language).quantity
    return fold(word) in words["identifier"] or fold(word) in words["numbered"]


def _is_short(before: str, language: str) -> bool:
    """Whether what ends with a point is an abbreviation, in a line whose sentences end with a danda."""
    pointed = _POINTED.search(before.rstrip())
    if pointed is None:
        return False
    word = pointed.group(1)
    if word[-1].isnumeric() or fold(word) in lexicon(language).stop:
        return False
    return bool(_DOTTED.fullmatch(word)) or len(regex.findall(r"\X", word)) <= _SHORT


def _abbreviated(word: str, after: str, language: str) -> bool:
    """Whether a word with a point and white space behind it is an abbreviation or an initial of what follows."""
    rules = _rules(language)
    if fold(word) in rules["before"]:
        return True
    if fold(word) in rules["before_number"]:
        return after[:1].isnumeric()
    if _opens(after, language):
        return False
    # A letter alone, or the name of one, before a name; "Plan B." ends a sentence before a word without a capital only.
    return bool(_INITIAL.fullmatch(word) and after[:1].isupper()) or fold(word) in rules["initials"]


def _inside_a_word(before: str, after: str, language: str) -> bool:
    """Whether a point without white space behind it stands inside a number, an abbreviation or an address."""
    left, right = before[-1:], after[:1]
    if left.isnumeric() or right.isnumeric():
        return left.isnumeric() == right.isnumeric() or right.isnumeric()
    if not (left.isalpha() or regex.match(r"\p{M}", left)) or not right.isalpha():
        return False
    if left.islower() and right.isupper():
        return False  # a space is missing
    word = regex.search(r"[\p{L}\p{M}]*$", before[-_AROUND:]).group()
    if left.lower() != left.upper():
        return True
    rules = _rules(language)
    return (
        fold(word) in rules["before"]
        or fold(word) in rules["initials"]
        or len(regex.findall(r"\X", word)) == 1
    )


def _opens(after: str, language: str) -> bool:
    """Whether what follows begins with a word that carries no content and yet has a capital."""
    found = _FIRST_WORD.match(after)
    if found is None or not found.group()[0].isupper():
        return False
    word = found.group()
    return len(word) > 1 and not word.isupper() and fold(word) in lexicon(language).stop


def _is_whole(before: str, language: str) -> bool:
    pointed = _POINTED.search(before)
    return pointed is not None and fold(pointed.group(1)) in _rules(language)["whole"]


@cache
def _rules(language: str) -> dict[str, frozenset[str]]:
    """The words of [sentences] as they compare, without their last point."""
    rules = lexicon(language).sentences
    kinds = ("before", "before_number", "initials", "whole")
    return {kind: frozenset(fold(word.rstrip(".")) for word in rules.get(kind, ())) for kind in kinds}
