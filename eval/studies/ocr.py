"""How well pictures of text are recognised, on pages drawn from public questions.

    python -m eval.studies.ocr DATA [--characters 500] [--pages 1] [--json FILE]

DATA is a folder like ../shared/data. Questions of each language are drawn as paragraphs of an A4 page, in the fonts
that the page and matplotlib bring along, and read as a file is. *clean*: 300 dpi as drawn. *askew*: 200 dpi, turned
by 1.5 degrees, with noise and blur. *coarse*: 120 dpi, turned by 1 degree, with some noise. Of each the edit distance
for a letter of the text, and the seconds of a processor that a page took, Tesseract's included.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from rapidfuzz.distance import Levenshtein

from eval.studies.languages import questions
from index.errors import ReadError
from index.readers import read_bytes
from index.readers.recognition import LANGUAGES

_FONTS = Path(__file__).resolve().parents[2] / "ui" / "page" / "fonts"
_OWN = {"bn": "noto-sans-bengali-400.woff2", "hi": "noto-sans-devanagari-400.woff2"}
_LATIN = files("matplotlib") / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
_POINTS, _SPACING = 11, 1.5
_A4 = (8.27, 11.69)
_MARGIN = 0.9


@dataclass(frozen=True, slots=True)
class Condition:
    """How a page comes to the reader: dots per inch, degrees it is turned, noise and blur in levels and pixels."""

    dpi: int
    turned: float = 0.0
    noise: float = 0.0
    blur: float = 0.0


CONDITIONS: Mapping[str, Condition] = {
    "clean": Condition(300),
    "askew": Condition(200, turned=1.5, noise=18, blur=0.6),
    "coarse": Condition(120, turned=1.0, noise=10, blur=0.3),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A language under a condition: error for each letter, processor seconds for each page, pages refused."""

    language: str
    condition: str
    error: float
    seconds: float
    refused: int


def font_of(language: str) -> bytes:
    """Return the font file that a language is drawn in."""
    if language not in _OWN:
        return _LATIN.read_bytes()
    font, data = TTFont(_FONTS / _OWN[language]), io.BytesIO()
    font.flavor = None
    font.save(data)
    return data.getvalue()


def texts(data: Path, language: str, font: bytes, *, pages: int, characters: int) -> list[list[str]]:
    """Return the paragraphs of each page, of characters that the font has."""
    known = {*TTFont(io.BytesIO(font)).getBestCmap(), ord(" ")}
    asked = ("".join(c for c in text if ord(c) in known) for text in questions(data, language))
    found = []
    for _ in range(pages):
        page: list[str] = []
        while sum(map(len, page)) < characters:
            page.append(next(asked))
        found.append(page)
    return found


def drawn(paragraphs: list[str], font: bytes, condition: Condition) -> bytes:
    """Return a page as a PNG file."""
    size = round(_POINTS * condition.dpi / 72)
    letters = ImageFont.truetype(io.BytesIO(font), size)
    width, height, margin = (round(inches * condition.dpi) for inches in (*_A4, _MARGIN))
    page = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(page)
    top = margin
    for paragraph in paragraphs:
        line = ""
        for word in [*paragraph.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and draw.textlength(longer, font=letters) <= width - 2 * margin:
                line = longer
                continue
            draw.text((margin, top), line, font=letters, fill=0)
            top += round(_SPACING * size)
            line = word
        top += size
    data = io.BytesIO()
    _degraded(page, condition).save(data, "PNG", dpi=(condition.dpi, condition.dpi))
    return data.getvalue()


def _degraded(page: Image.Image, condition: Condition) -> Image.Image:
    if condition.turned:
        page = page.rotate(condition.turned, resample=Image.Resampling.BICUBIC, fillcolor=255)
    if condition.noise:
        levels = 0.85 * np.asarray(page, float) + 20
        levels += np.random.default_rng(1).normal(0, condition.noise, levels.shape)
        page = Image.fromarray(levels.clip(0, 255).astype("uint8"))
    return page.filter(ImageFilter.GaussianBlur(condition.blur)) if condition.blur else page


def measured(data: Path, *, pages: int, characters: int) -> Iterator[Row]:
    """Read pages of every language under every condition."""
    for language in LANGUAGES:
        font = font_of(language)
        asked = texts(data, language, font, pages=pages, characters=characters)
        for name, condition in CONDITIONS.items():
            wrong = letters = refused = 0
            began = _used()
            for paragraphs in asked:
                expected = " ".join(" ".join(paragraphs).split())
                picture = drawn(paragraphs, font, condition)
                try:
                    read = read_bytes(picture, "a.png", max_bytes=10**9, max_garbled_share=0.1).text
                except ReadError:
                    read, refused = "", refused + 1
                wrong += Levenshtein.distance(" ".join(read.split()), expected)
                letters += len(expected)
            yield Row(language, name, wrong / letters, (_used() - began) / pages, refused)


def _used() -> float:
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in each)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--characters", type=int, default=500)
    parser.add_argument("--pages", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    rows = []
    for row in measured(options.data, pages=options.pages, characters=options.characters):
        rows.append(asdict(row))
        print(  # noqa: T201
            f"{row.language}  {row.condition:7} {row.error:.3f}  {row.seconds:5.1f} s  refused {row.refused}",
            flush=True,
        )
    if options.json is not None:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
