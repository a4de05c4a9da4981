"""Windows of a text: whole sentences, as they are cut when a question is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from eval.learning.data import Place
from index.language.sentences import split_sentences
from index.types import Document

# Sizes in tokens that windows are drawn from, and how often.
_SIZES, _OFTEN = ((50, 110), (110, 170), (170, 230)), (0.48, 0.32, 0.2)
SMALLEST, LARGEST = 50, 230
# Texts whose sentences are kept: some 100 MB.
_KEPT = 40_000


@dataclass(frozen=True, slots=True)
class Example:
    """A question and a window of text, with what answers it there.

    `answer` lies within `window` (code points); None when the window does not answer the question. `also` are other
    places that answer as well. With `verdicts`, `question` is a claim about the window or a yes/no question, to be
    judged and not answered: the places (`rag.reader.verdict`) of the verdicts of which one is right.
    """

    kind: str
    question: str
    window: str
    answer: Place | None
    asked: str  # language of the question
    read: str  # language of the window
    also: tuple[Place, ...] = ()
    verdicts: tuple[int, ...] = ()


class Windows:
    """Cuts texts. `count`: tokens of each text."""

    def __init__(self, count: Callable[[Sequence[str]], list[int]]) -> None:
        self._count = count
        self._sentences: dict[str, list[tuple[int, int, int]]] = {}

    def sentences(self, text: str, language: str) -> list[tuple[int, int, int]]:
        """Start, end and tokens of each sentence of a text."""
        if text not in self._sentences:
            if len(self._sentences) >= _KEPT:
                self._sentences.clear()
            document = Document("", "", "", language, None, text, "text/plain")
            found = split_sentences(document)
            tokens = self._count([s.text for s in found]) if found else []
            self._sentences[text] = [(s.start, s.end, n) for s, n in zip(found, tokens, strict=True)]
        return self._sentences[text]

    def cut(
        self, random: Random, example: Example, *, smallest: int = SMALLEST, largest: int = LARGEST
    ) -> Example:
        """The example with its text cut to whole sentences around the answer, or anywhere, of a random size."""
        (bounds,) = random.choices(_SIZES, _OFTEN)
        size = min(max(random.randint(*bounds), smallest), largest)
        spans = self.sentences(example.window, example.read)
        if not spans:
            return example
        held = [i for i, s in enumerate(spans) if _holds(s, example.answer)] if example.answer else []
        first = held[0] if held else random.randrange(len(spans))
        last = held[-1] if held else first
        total = sum(s[2] for s in spans[first : last + 1])
        while True:
            ways = [way for way in (first - 1, last + 1) if 0 <= way < len(spans)]
            ways = [way for way in ways if total + spans[way][2] <= size]
            if not ways:
                break
            way = random.choice(ways)
            total += spans[way][2]
            first, last = min(first, way), max(last, way)
        return _between(example, spans[first][0], spans[last][1])


def _holds(span: tuple[int, int, int], answer: Place) -> bool:
    return span[0] < answer.end and answer.start < span[1]


def _between(example: Example, start: int, end: int) -> Example:
    if example.answer is None:
        return replace(example, window=example.window[start:end])
    start, end = min(start, example.answer.start), max(end, example.answer.end)
    also = tuple(
        Place(place.start - start, place.end - start)
        for place in example.also
        if start <= place.start and place.end <= end
    )
    answer = Place(example.answer.start - start, example.answer.end - start)
    return replace(example, window=example.window[start:end], answer=answer, also=also)
