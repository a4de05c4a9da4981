"""Text in pictures, by the system's program `tesseract`: the words of a picture with their places.

Nothing is recognised where the program is not installed; what needs it is then refused with the packages' names. A
page's languages are guessed from a few of its lines, read with all that are installed: one language reads about
three times as fast as five, and better (`python -m eval.studies.ocr`).
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import regex

from index.errors import ReadError, SkipReason
from index.language.detection import detect_per_part
from index.normalise import normalise, normalise_line
from index.readers.page_layout import Run

if TYPE_CHECKING:
    from PIL.Image import Image

PROGRAM = "tesseract"
LANGUAGES = {"bn": "ben", "en": "eng", "hi": "hin", "sv": "swe", "vi": "vie"}
"""Languages by ISO 639-1 with the names of their data in Tesseract."""
PACKAGES = " ".join(("tesseract-ocr", *(f"tesseract-ocr-{name}" for name in LANGUAGES.values())))
"""What Debian and Ubuntu call it all."""
_INSTALL = f"to have it recognised install the system's packages {PACKAGES}"
_PAGES_NAMED = 20

OCR_SECONDS = 600.0
"""How long recognition may take of one file by default."""

_PAGE_SECONDS = 120.0
# Scans have 300 dpi or less; what has more is made smaller, in pixels of an A4 page of 400 dpi.
_MOST_PIXELS = 16_000_000
# A page whose words are surer than this is taken, of 100; another way up, then other languages, are tried for one that
# is not. What is below the second bound in the end is no text. Measured with `python -m eval.studies.ocr`.
_SURE = 85.0
_LEAST_SURE = 60.0
# So few letters that are less sure are dust, a line or a piece of a picture; longer ones may be a name.
_LEAST_SURE_WORD, _DUST = 50.0, 2
# Heights of letters that stand apart: see `page_runs`.
_RUN_ENDS = 1.0
# Sizes of lines are measured on letters: those that differ by less are one.
_SAME_SIZE = 0.3
# The lines by which languages are guessed: in each third of a page the strip with most ink, in heights of the page.
_STRIP = 0.05
_INK = 128
_FEWEST_LETTERS = 20
_BLANK_SHARE = 0.0002
_OTHER_SCRIPTS = {"ben", "hin"}
_LATIN_WORD = regex.compile(r"\p{Latin}{3,}")
# English beside another script costs: some of its words become Latin letters. It is read where there is so much of it.
_LATIN_SHARE = 0.15
_LETTER = regex.compile(r"\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")
_POINTS = 72.0
_NUMBERS = regex.compile(r"(bbox|baseline|x_size|x_wconf) ([-\d. ]+)")


def available() -> bool:
    """Whether the program and a language of `LANGUAGES` are installed."""
    return bool(installed())


def installed() -> tuple[str, ...]:
    """The languages of `LANGUAGES`, as Tesseract calls them, that are installed; none without the program."""
    program = shutil.which(PROGRAM)
    return () if program is None else _installed(program)


@cache
def _installed(program: str) -> tuple[str, ...]:
    try:
        listed = subprocess.run(
            [program, "--list-langs"], capture_output=True, timeout=_PAGE_SECONDS, check=False
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return ()
    there = set(listed.split("\n"))
    return tuple(name for name in LANGUAGES.values() if name in there)


def no_program(reason: SkipReason, what: str) -> ReadError:
    """The refusal of a file that needs the program where it is missing; `what` is wrong with the file."""
    return ReadError(reason, f"{what}; {_INSTALL}")


def unsure() -> ReadError:
    """The refusal of a file whose text the program cannot make out."""
    return ReadError(
        SkipReason.GARBLED, "its text cannot be recognised for sure; scan it again, upright and at 300 dpi"
    )


def left_out(unread: Sequence[int], *, installed: bool) -> str:
    """What is said of the pages, from 1, that were not read; "" when there is none."""
    if not unread:
        return ""
    pages = ", ".join(map(str, unread[:_PAGES_NAMED])) + (", ..." if len(unread) > _PAGES_NAMED else "")
    many = f"pages {pages} have" if len(unread) > 1 else f"page {pages} has"
    if installed:
        return f"{many} text that cannot be recognised for sure: left out"
    return f"{many} no text layer: left out; {_INSTALL}"


def could_now_be_read(detail: str) -> bool:
    """Whether a file about which `detail` was said lacked the program, and it is there now."""
    return _INSTALL in detail and available()


@dataclass(frozen=True, slots=True)
class _Reading:
    runs: list[Run]
    sure: float  # 0 to 100, the mean over letters
    text: str


class Recogniser:
    """Reads the pages of one file.

    Args:
        seconds: for all of them; 0: nothing is recognised.
    """

    def __init__(self, seconds: float) -> None:
        self.available = seconds > 0 and available()
        """Whether it can; else nothing else may be asked of it."""
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def runs(self, image: Image, *, dpi: float) -> list[Run] | None:
        """The runs of words of a page, in points from its lower left corner; None where it cannot be read for sure.

        Args:
            image: the page.
            dpi: its pixels per inch.

        Raises:
            ReadError: `too_large`, the time is over.
        """
        image, dpi = _fitted(image, dpi)
        if is_blank(image):
            return []
        everything = installed()
        guessed = self._guessed(image, dpi, everything)
        reading = self._read(image, dpi, guessed)
        if reading.sure < _SURE and (turn := self._turn(image, dpi)):
            image = image.rotate(-turn, expand=True)
            guessed = self._guessed(image, dpi, everything)
            reading = _surer(reading, self._read(image, dpi, guessed))
        if reading.sure < _SURE and set(guessed) != set(everything):
            reading = _surer(reading, self._read(image, dpi, everything))
        if not reading.runs:
            return []
        return reading.runs if reading.sure >= _LEAST_SURE else None

    def _guessed(self, image: Image, dpi: float, languages: Sequence[str]) -> Sequence[str]:
        """The languages that some lines of a page are in, with English beside another script that has Latin words."""
        if len(languages) < 2:
            return languages
        text = normalise(self._read(_strips(image), dpi, languages).text)
        lines = [line for line in text.split("\n") if len(_LETTER.findall(line)) >= _FEWEST_LETTERS]
        found = {LANGUAGES.get(each, "") for each in detect_per_part(lines, "und")} if lines else set()
        latin = sum(map(len, _LATIN_WORD.findall(text)))
        if found & _OTHER_SCRIPTS and latin > _LATIN_SHARE * len(_LETTER.findall(text)):
            found.add("eng")
        return [name for name in languages if name in found] or languages

    def _read(self, image: Image, dpi: float, languages: Sequence[str]) -> _Reading:
        # Blocks are not told apart by the program: it takes some for pictures, with the text in them.
        said = self._run(image, dpi, "-l", "+".join(languages), "--psm", "6", "hocr")
        return _reading(said, height=image.height, dpi=dpi)

    def _turn(self, image: Image, dpi: float) -> int:
        """By how many degrees the picture is to be turned clockwise to stand upright."""
        said = self._run(image, dpi, "-l", "osd", "--psm", "0").decode("utf-8", "replace")
        found = regex.search(r"Rotate: (\d+)", said)
        return int(found[1]) if found else 0

    def _run(self, image: Image, dpi: float, *arguments: str) -> bytes:
        left = self._end - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        data = io.BytesIO()
        image.save(data, "PPM")
        try:
            # A session of its own: Ctrl-C is for the command, and must not pass for a page without words.
            return subprocess.run(
                [PROGRAM, "stdin", "stdout", "--dpi", str(round(dpi)), *arguments],
                input=data.getvalue(),
                capture_output=True,
                timeout=min(left, _PAGE_SECONDS),
                check=False,
                start_new_session=True,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            ).stdout
        except subprocess.TimeoutExpired as error:
            raise self._too_slow() from error
        except OSError as error:
            raise no_program(SkipReason.UNSUPPORTED, f"{PROGRAM} cannot be started") from error

    def _too_slow(self) -> ReadError:
        return ReadError(
            SkipReason.TOO_LARGE,
            f"its text takes more than {self._seconds:g} seconds to recognise, or a page more than "
            f"{_PAGE_SECONDS:g}; split it or raise RAG_OCR_SECONDS",
        )


def _surer(reading: _Reading, other: _Reading) -> _Reading:
    return max(reading, other, key=lambda each: each.sure)


def is_blank(image: Image) -> bool:
    """Whether a page holds no more than dust."""
    pixels = np.asarray(image.convert("L"))
    dark = pixels < min(_INK, float(np.median(pixels)) - 40)
    return bool(dark.mean() < _BLANK_SHARE)


def _fitted(image: Image, dpi: float) -> tuple[Image, float]:
    """A picture in grey, not too large."""
    grey = image.convert("L")
    share = (_MOST_PIXELS / (grey.width * grey.height)) ** 0.5
    if share >= 1:
        return grey, dpi
    size = max(1, round(grey.width * share)), max(1, round(grey.height * share))
    return grey.resize(size, reducing_gap=2.0), dpi * share


def _strips(image: Image) -> Image:
    """A few lines from each third of a page, one over the other."""
    # Imported here because it is needed for pictures alone.
    from PIL import Image as Images

    pixels = np.asarray(image)
    ink = np.cumsum([0, *(pixels < _INK).sum(axis=1)])
    high = max(1, round(_STRIP * len(pixels)))
    if len(pixels) < 6 * high:
        return image
    starts = []
    for third in range(3):
        first, end = third * len(pixels) // 3, (third + 1) * len(pixels) // 3 - high
        starts.append(first + int(np.argmax(ink[first + high : end + high] - ink[first:end])))
    return Images.fromarray(np.concatenate([pixels[start : start + high] for start in starts]))


def _reading(said: bytes, *, height: int, dpi: float) -> _Reading:
    """What the program says in hOCR (kba.github.io/hocr-spec): lines and words with their boxes in pixels."""
    # Imported here because it is needed for pictures alone.
    import lxml.html

    if not said.strip():
        return _Reading([], 0.0, "")
    lines = [
        (_facts(line), words)
        for line in lxml.html.fromstring(said).iter("span")
        if "ocr_" in line.get("class", "") and (words := list(_words(line)))
    ]
    usual = median(facts["x_size"][0] for facts, _ in lines) if lines else 0.0
    scale = _POINTS / dpi
    runs, sure, letters = [], 0.0, 0
    for facts, words in lines:
        size = facts["x_size"][0]
        size = usual if abs(size - usual) <= _SAME_SIZE * usual else size
        left, _, right, bottom = facts["bbox"]
        slope, offset = facts.get("baseline", [0.0, 0.0])
        # Where the line stands at its middle, so that a page that lies askew is one of straight lines.
        foot = height - (bottom + offset + slope * ((left + right) / 2 - left))
        for group in _groups(words, size):
            text = normalise_line(" ".join(word for word, _, _ in group))
            runs.append(
                Run(
                    text,
                    group[0][1][0] * scale,
                    foot * scale,
                    group[-1][1][2] * scale,
                    (foot + size) * scale,
                    size * scale,
                )
            )
        sure += sum(len(word) * each for word, _, each in words)
        letters += sum(len(word) for word, _, _ in words)
    return _Reading(runs, sure / letters if letters else 0.0, "\n".join(run.text for run in runs))


_Word = tuple[str, list[float], float]


def _facts(element: object) -> dict[str, list[float]]:
    title = element.get("title", "")  # type: ignore[attr-defined]
    return {name: [float(each) for each in numbers.split()] for name, numbers in _NUMBERS.findall(title)}


def _words(line: object) -> Iterator[_Word]:
    for element in line.iter("span"):  # type: ignore[attr-defined]
        text = (element.text_content() or "").strip()
        if element.get("class") == "ocrx_word" and text:
            facts = _facts(element)
            if facts["x_wconf"][0] >= _LEAST_SURE_WORD or len(_WORD.findall(text)) > _DUST:
                yield text, facts["bbox"], facts["x_wconf"][0]


def _groups(words: Sequence[_Word], size: float) -> Iterator[list[_Word]]:
    """The words of a line that stand beside each other; a wide space parts cells and columns."""
    group: list[_Word] = []
    for word in sorted(words, key=lambda each: each[1][0]):
        if group and word[1][0] - group[-1][1][2] > _RUN_ENDS * size:
            yield group
            group = []
        group.append(word)
    if group:
        yield group
