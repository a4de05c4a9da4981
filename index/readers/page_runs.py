"""The words of a PDF's pages with their places, by PDFium."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

from index.normalise import normalise_line
from index.readers.page_layout import Run

# In heights of the letters: those that stand apart farther than a space are of two words, than `_RUN_ENDS` of two runs.
_SPACE = 0.15
# What PDFium calls a hyphen at the end of a line.
_LINE_HYPHENS = frozenset("\x02\ufffe")
_RUN_ENDS = 1.0
_LINE_DIFFERS = 0.6
# No font is smaller; hostile files have letters without a size.
_SMALLEST = 1.0
# The height of a line of letters, in sizes of their font; most fonts have about this.
_HEIGHT = 1.17


@dataclass(slots=True)
class _Letter:
    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float


def runs_of(data: bytes) -> Iterator[list[list[Run]]]:
    """The runs of each page by the direction they are written in; `/ActualText` stands for what is drawn under it.

    Those of a direction other than the first, such as up a margin, are turned so that they read from left to right.

    Raises:
        Exception: PDFium's own where it cannot read the file.
    """
    # Imported here because it is needed for PDF files alone.
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    try:
        for number in range(len(document)):
            page = document[number]
            text = page.get_textpage()
            try:
                yield [list(_runs(letters)) for letters in _directions(text.raw)]
            finally:
                text.close()
                page.close()
    finally:
        document.close()


def sorted_box(box: Sequence[float]) -> tuple[float, float, float, float]:
    """(left, bottom, right, top) of two corners in any order."""
    return min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])


def _directions(page: Any) -> list[list[_Letter]]:
    """The letters of a page by the quarter turns of their direction, the most first."""
    found: dict[int, list[_Letter]] = {}
    for turns, letter in _letters(page):
        found.setdefault(turns, []).append(letter)
    return sorted(found.values(), key=len, reverse=True)


def _letters(page: Any) -> Iterator[tuple[int, _Letter]]:
    # Imported here because it is needed for PDF files alone.
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    high = ""
    for i in range(pdfium.FPDFText_CountChars(page)):
        code = pdfium.FPDFText_GetUnicode(page, i)
        character = high + chr(code)
        if 0xD800 <= code < 0xDC00:  # the first half of a pair: on Windows' terms PDFium counts halves
            high = character
            continue
        high = ""
        pdfium.FPDFText_GetLooseCharBox(page, i, box)  # as wide as the font moves on, as high as the font is
        turns = -round(pdfium.FPDFText_GetCharAngle(page, i) / (pi / 2)) % 4
        left, bottom, right, top = _turned((box.left, box.bottom, box.right, box.top), turns)
        # The box is as the page shows it; where a font has no height of its own, its size has to do.
        size = (top - bottom) / _HEIGHT
        if size < _SMALLEST:
            size = max(pdfium.FPDFText_GetFontSize(page, i), _SMALLEST)
        middle = (bottom + top) / 2
        yield turns, _Letter(character, left, middle - size / 2, right, middle + size / 2, size)


def _turned(box: tuple[float, float, float, float], turns: int) -> tuple[float, float, float, float]:
    """A box turned back by so many quarters, so that its letters stand upright."""
    for _ in range(turns):
        left, bottom, right, top = box
        box = (bottom, -right, top, -left)
    return box


def _runs(letters: Sequence[_Letter]) -> Iterator[Run]:
    """Letters joined as long as they follow each other on a line without a gap as between columns."""
    run: list[_Letter] = []
    spaced = False
    for letter in letters:
        if letter.text in _LINE_HYPHENS:
            letter.text = "-"
        if letter.text.isspace():
            spaced = True
            continue
        if run and not _follows(run[-1], letter):
            yield from _run(run)
            run = []
        elif run and (spaced or letter.left - run[-1].right > _SPACE * letter.size):
            run.append(_Letter(" ", run[-1].right, letter.bottom, letter.left, letter.top, letter.size))
        spaced = False
        run.append(letter)
    yield from _run(run)


def _follows(before: _Letter, letter: _Letter) -> bool:
    size = max(before.size, letter.size)
    apart = letter.left - before.right
    lower = abs((letter.bottom + letter.top) / 2 - (before.bottom + before.top) / 2)
    return -size <= apart < _RUN_ENDS * size and lower < _LINE_DIFFERS * size


def _run(letters: Sequence[_Letter]) -> Iterator[Run]:
    text = normalise_line("".join(letter.text for letter in letters))
    if text:
        yield Run(
            text,
            min(letter.left for letter in letters),
            min(letter.bottom for letter in letters),
            max(letter.right for letter in letters),
            max(letter.top for letter in letters),
            max(letter.size for letter in letters),
        )
