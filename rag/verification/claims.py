"""The claims of a written answer: its sentences, each with the markers that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from index.language.sentences import split_sentences
from index.types import Document, Sentence

MARKER = regex.compile(r"\[(\d{1,3})\]")
# What opens a list item, and emphasis: no part of what is claimed.
_FURNITURE = regex.compile(
    r"(?m)^[ \t]*(?:[-*•–]|\(?\d{1,2}[.)])[ \t]+|\*{1,3}|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])"
)
_CONTENT = regex.compile(r"[\p{L}\p{N}]")
_STOP = regex.compile(r"[.!?…।॥。！？؟\"'”’»)\]\s]*\Z")
# What a marker before a stop leaves behind.
_LOOSE_STOP = regex.compile(r" +(?=[.,;!?…।॥。](?:\s|\Z))")
_INTRODUCES = (":", "：")


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker [n] of a text at code points `start`..`end`."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer.

    Attributes:
        start, end: its code points in the answer, its markers included.
        text: what it says, without markers and list signs, on one line.
        places: its markers in reading order.
        mark_at: where a further marker or a notice belongs: after its last marker, else before its full stop.
    """

    start: int
    end: int
    text: str
    places: tuple[Marker, ...]
    mark_at: int

    @property
    def markers(self) -> tuple[int, ...]:
        """The numbers of its markers in reading order."""
        return tuple(marker.number for marker in self.places)


def markers_of(text: str) -> list[Marker]:
    """The markers of a text in reading order."""
    return [Marker(int(match[1]), match.start(), match.end()) for match in MARKER.finditer(text)]


def claims_of(text: str, language: str) -> list[Claim]:
    """The claims of an answer in reading order.

    A marker belongs to the sentence it stands in or follows on the same line; one that opens a line belongs to the
    sentence after it, and one alone on a line to the sentence before. A heading, and a sentence that ends in a colon,
    claims nothing.
    """
    bare = MARKER.sub(lambda match: " " * len(match.group()), text)
    bare = _FURNITURE.sub(lambda match: " " * len(match.group()), bare)
    document = Document("answer", "", "", language, None, bare, "text/plain")
    sentences = split_sentences(document)
    owned: list[list[Marker]] = [[] for _ in sentences]
    for marker in markers_of(text):
        owner = _owner(marker, sentences, text)
        if owner is not None:
            owned[owner].append(marker)
    return [
        _claim(text, sentence, places)
        for sentence, places in zip(sentences, owned, strict=True)
        if _claims_something(sentence, text)
    ]


def _owner(marker: Marker, sentences: Sequence[Sentence], text: str) -> int | None:
    before = [i for i, sentence in enumerate(sentences) if sentence.start < marker.start]
    after = [i for i, sentence in enumerate(sentences) if sentence.start > marker.start]
    if before and "\n" not in text[sentences[before[-1]].end : marker.start]:
        return before[-1]
    if after and "\n" not in text[marker.end : sentences[after[0]].start]:
        return after[0]
    return before[-1] if before else None


def _claims_something(sentence: Sentence, text: str) -> bool:
    line = text[text.rfind("\n", 0, sentence.start) + 1 : sentence.start]
    heading = line.lstrip().startswith("#") or sentence.text.startswith("#")
    return not heading and not sentence.text.rstrip().endswith(_INTRODUCES)


def _claim(text: str, sentence: Sentence, places: Sequence[Marker]) -> Claim:
    end = max([sentence.end, *(marker.end for marker in places)])
    if places:
        mark_at = places[-1].end
        if _CONTENT.search(text, mark_at, sentence.end):
            mark_at = _before_stop(text, sentence)
    else:
        mark_at = _before_stop(text, sentence)
    start = min([sentence.start, *(marker.start for marker in places)])
    said = _LOOSE_STOP.sub("", " ".join(sentence.text.split()))
    return Claim(start, end, said, tuple(places), mark_at)


def _before_stop(text: str, sentence: Sentence) -> int:
    """The place before the full stop that ends a sentence, so that the stop still ends it."""
    match = _STOP.search(text[sentence.start : sentence.end].rstrip())
    stop = sentence.start + match.start() if match else sentence.end
    # A quotation mark or bracket at the end belongs to the words before it.
    while stop < sentence.end and text[stop] in "\"'”’»)]":
        stop += 1
    return stop
