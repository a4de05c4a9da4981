"""The sentences of a document with their offsets, and which of its lines are headings."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import regex

from index.language.boundaries import enumerated, sentence_spans
from index.types import Document, Sentence, SentenceKind, span_id

# Raise it when the same text would be cut otherwise; the index is then rebuilt.
SENTENCES_VERSION = 3
# Longer sentences are cut at semicolons: a press release often lists a year's results in one sentence of
# 300 words, and a quote of it would not show which words answer. Code points; two lines of print.
LONG_SENTENCE = 240
# No piece is longer than this, whatever the text: it bounds what one vector has to stand for. What lies beyond the
# embedder's own limit is still quoted and searched by words.
LONGEST_PIECE = 1000

_CLAUSE_END = regex.compile(r"[;；؛;]\s+")
_SOFT_BREAK = regex.compile(r"[,،、，:：]\s*|\s+")
_WORD = regex.compile(r"[\p{L}\p{N}]")
# A few words, without a mark that ends or divides a sentence and without a number: those may answer.
_TITLE = regex.compile(r"[\p{L}\p{M}'’()&/-]+(?:\s+[\p{L}\p{M}'’()&/-]+){0,7}\s*")


def split_sentences(document: Document, *, languages: dict[int, str] | None = None) -> list[Sentence]:
    """The sentences of a document in reading order.

    A line break always ends a sentence (a caption or heading has no full stop), and the row of a table is one. Pieces
    without a letter or digit are left out. `languages` maps the start offset of a line to its language where it
    differs from the document's.

    Returns:
        Sentences with `document.text[s.start:s.end] == s.text`, stripped of white space, without overlap.
    """
    sentences: list[Sentence] = []
    headings = _headings(document)
    for line_start, line in lines(document.text):
        language = (languages or {}).get(line_start, document.language)
        marked = _kind(document, line_start + len(line) - len(line.lstrip()))
        spans = _shortened(line, 0, len(line)) if marked == "row" else _spans(line, language)
        for start, end in spans:
            start, end = _strip(document.text, line_start + start, line_start + end)
            text = document.text[start:end]
            if not _WORD.search(text):
                continue
            sentences.append(
                Sentence(
                    id=span_id(document.id, start, end),
                    document_id=document.id,
                    ordinal=len(sentences),
                    start=start,
                    end=end,
                    text=text,
                    language=language,
                    kind="heading" if line_start in headings else marked,
                )
            )
    return sentences


def lines(text: str) -> Iterator[tuple[int, str]]:
    """The non-empty lines of a text with their start offsets."""
    start = 0
    for line in text.split("\n"):
        if line.strip():
            yield start, line
        start += len(line) + 1


def _spans(line: str, language: str) -> Iterator[tuple[int, int]]:
    for start, end in sentence_spans(line, language):
        yield from _pieces(line, start, end)


def _headings(document: Document) -> set[int]:
    """Where lines start that are headings by their enumerator: "2. Opening hours" over text, not an item of a list.

    Others are marked by what reads the document.
    """
    found = set()
    rows = list(lines(document.text))
    numbered = [enumerated(line, document.language) for _, line in rows]
    for place, (start, line) in enumerate(rows):
        alone = not any(numbered[other] for other in (place - 1, place + 1) if 0 <= other < len(rows))
        if numbered[place] and alone and _TITLE.fullmatch(line, numbered[place]):
            found.add(start)
    return found


def _pieces(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if end - start <= LONG_SENTENCE:
        yield start, end
        return
    for clause_start, clause_end in _cut(line, start, end, _CLAUSE_END):
        yield from _shortened(line, clause_start, clause_end)


def _shortened(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LONGEST_PIECE:
        cut = _soft_cut(line, start)
        yield start, cut
        start = cut
    yield start, end


def _cut(line: str, start: int, end: int, separator: regex.Pattern[str]) -> Iterator[tuple[int, int]]:
    for match in separator.finditer(line, start, end):
        yield start, match.end()
        start = match.end()
    if start < end:
        yield start, end


def _soft_cut(line: str, start: int) -> int:
    """Where to cut a piece that is too long: the last comma or space that fits, else a grapheme's end."""
    limit = start + LONGEST_PIECE
    breaks = [match.end() for match in _SOFT_BREAK.finditer(line, start + LONGEST_PIECE // 2, limit)]
    if breaks:
        return int(breaks[-1])
    # Look back far enough to find a grapheme boundary; hostile text may stack marks without end.
    last = limit
    for match in regex.finditer(r"\X", line[limit - 50 : limit + 1]):
        last = limit - 50 + int(match.start())
    return last if last > start else limit


def _strip(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _kind(document: Document, start: int) -> SentenceKind:
    at = bisect_right(document.marked, start, key=lambda span: span.start) - 1
    return document.marked[at].kind if at >= 0 and start < document.marked[at].end else "body"
