"""Chunks: runs of whole sentences of about equal size, counted in the embedder's own tokens."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from index.types import Chunk, Document, Sentence, span_id

# Raise it when the same settings would cut a text differently; an index made with another version is rebuilt.
CHUNKER_VERSION = 2


def make_chunks(
    document: Document, sentences: Sequence[Sentence], tokens: Sequence[int], *, size: int, overlap: int
) -> list[Chunk]:
    """Cut a document into chunks of at most `size` tokens.

    The sizes are balanced: a text of 1.2 times `size` gives two halves, not a chunk and a stub. A heading goes with
    what it stands over, where both fit.

    Args:
        sentences: all sentences of the document, in order.
        tokens: (len(sentences),) tokens of each, by the embedder's tokenizer.
        size: most tokens of a chunk; a single longer sentence is a chunk of its own.
        overlap: most tokens of whole sentences repeated from the chunk before.

    Returns:
        Chunks that together hold every sentence; `document.text[c.start:c.end] == c.text`.
    """
    chunks: list[Chunk] = []
    headings = [sentence.kind == "heading" for sentence in sentences]
    for first, last in _ranges(tokens, headings, size=size, overlap=overlap):
        start, end = sentences[first].start, sentences[last].end
        votes = Counter({s.language: 0 for s in sentences[first : last + 1]})
        for sentence in sentences[first : last + 1]:
            votes[sentence.language] += len(sentence.text)
        chunks.append(
            Chunk(
                id=span_id(document.id, start, end),
                document_id=document.id,
                ordinal=len(chunks),
                start=start,
                end=end,
                text=document.text[start:end],
                language=votes.most_common(1)[0][0],
                first=first,
                last=last,
            )
        )
    return chunks


def _ranges(
    tokens: Sequence[int], headings: Sequence[bool], *, size: int, overlap: int
) -> list[tuple[int, int]]:
    """Ranges of sentence numbers, both ends included."""
    if not tokens:
        return []
    left = [*accumulate(reversed(tokens))][::-1]
    target = _target(left[0], size)
    ranges: list[tuple[int, int]] = []
    first, filled = 0, 0
    for number, count in enumerate(tokens):
        full = filled + count > size
        # Closing here is nearer to the target than taking this sentence too.
        near = filled + count - target > target - filled
        if number > first and (full or near):
            cut = number
            while cut - 1 > first and headings[cut - 1] and sum(tokens[cut - 1 : number + 1]) <= size:
                cut -= 1
            ranges.append((first, cut - 1))
            room = size - sum(tokens[cut : number + 1])
            first = _overlap_start(tokens, first, cut, overlap=overlap, room=room)
            filled = sum(tokens[first:number])
            target = _target(left[first], size)
        filled += count
    ranges.append((first, len(tokens) - 1))
    return ranges


def _target(tokens: int, size: int) -> float:
    """The even size of the fewest chunks that hold so many tokens; infinite when one holds them."""
    chunks = math.ceil(tokens / size)
    return tokens / chunks if chunks > 1 else math.inf


def _overlap_start(tokens: Sequence[int], first: int, end: int, *, overlap: int, room: int) -> int:
    """The first sentence of the next chunk: as many before `end` as `overlap` and `room` allow."""
    start, repeated = end, 0
    while start - 1 > first and repeated + tokens[start - 1] <= min(overlap, room):
        start -= 1
        repeated += tokens[start]
    return start
