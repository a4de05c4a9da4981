"""Seconds of a processor that foreign text takes, by its kind and length: `python -m eval.bench.foreign_texts`.

Each text is read and cut by the limited process that reads uploads. Ten times the text may take about ten times as
long; what grows faster fails the command.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import click

from index.errors import ReadError
from index.reading_process import ReadingProcess
from index.settings import IndexSettings

_LATIN = "The harbour was dredged in 1987. It cost 1,200 kronor, Mr. Berg said. "
_BENGALI = "২০২৪ সালে ক্যান থো শহরে ৫৪০টি তথ্য প্রকাশ করা হয়। "
_CHINESE = "港口于一九八七年疏浚，费用为一千二百克朗。"


def _repeated(piece: str) -> Callable[[int], str]:
    return lambda length: (piece * (length // len(piece) + 1))[:length]


def _numbered(line: str) -> Callable[[int], str]:
    def made(length: int) -> str:
        return "".join(line.format(n) for n in range(length // len(line) + 1))[:length]

    return made


def _nested(opening: str, closing: str) -> Callable[[int], str]:
    def made(length: int) -> str:
        depth = length // (len(opening) + len(closing))
        return opening * depth + "word" + closing * depth

    return made


KINDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "opening quotes": ("txt", _repeated("\u201c")),
    "quotes around words": ("txt", _repeated("\u201cword\u201d ")),
    "one letter": ("txt", _repeated("a")),
    "one Chinese sentence": ("txt", _repeated("数。")),
    "Chinese on one line": ("txt", _repeated(_CHINESE)),
    "Chinese without a stop": ("txt", _repeated("港口于一九八七年疏浚")),
    "Thai without spaces": ("txt", _repeated("ท่าเรือถูกขุดลอกในปี")),
    "English on one line": ("txt", _repeated(_LATIN)),
    "English in lines": ("txt", _repeated(_LATIN + "\n")),
    "short lines": ("txt", _numbered("{0} mill\n")),
    "Bengali on one line": ("txt", _repeated(_BENGALI)),
    "Bengali in lines": ("txt", _repeated(_BENGALI + "\n")),
    "digits": ("txt", _repeated("1234567890")),
    "grouped numbers": ("txt", _repeated("1.234,")),
    "points": ("txt", _repeated("a.")),
    "initials": ("txt", _repeated("A. ")),
    "abbreviations": ("txt", _repeated("Mr. ")),
    "enumerators": ("txt", _repeated("1. a) (b) ")),
    "codes": ("txt", _repeated("A-1/")),
    "capitals and digits": ("txt", _repeated("A1")),
    "stacked marks": ("txt", _repeated("e\u0301\u0323\u0308")),
    "marks alone": ("txt", _repeated("\u0301")),
    "vowel signs": ("txt", _repeated("ক\u09be\u09be")),
    "joiners": ("txt", _repeated("क\u200d\u200c")),
    "spaces": ("txt", lambda length: "a" + " " * (length - 2) + "b"),
    "blank lines": ("txt", _repeated("word\n\n\n")),
    "direction signs": ("txt", _repeated("\u202eabc\u202c")),
    "emoji": ("txt", _repeated("👩\u200d👩\u200d👧 ")),
    "addresses": ("txt", _repeated("https://example.org/a?b=c.d/")),
    "commas": ("txt", _repeated("a,b;c:")),
    "names": ("txt", _repeated("Ann Berg And Carl ")),
    "Markdown marks": ("md", _repeated("*_[`(")),
    "Markdown quotes": ("md", _repeated("> ")),
    "Markdown links": ("md", _repeated("[a](b) ![c](d) ")),
    "Markdown table": ("md", lambda n: "# T\n\n| a | b |\n|---|---|\n" + _repeated("| 1 | 2 |\n")(n)),
    "nested HTML": ("html", _nested("<div>", "</div>")),
    "HTML paragraphs": ("html", lambda n: "<html><body>" + _repeated("<p>Word one.</p>")(n)),
    "HTML entities": ("html", lambda n: "<html><body><p>" + _repeated("&amp;&lt;&#x4e00;")(n)),
    "open HTML tags": ("html", lambda n: "<html><body>" + _repeated("<a href='")(n)),
}
"""By name: the end of a file's name, and what makes a text of about so many characters."""

_SIZES = (10_000, 100_000, 1_000_000)
# How many times longer ten times the text may take. Chosen: n * log(n), with room for caches that no longer fit.
_STEEPEST = 20.0
# What a text costs whatever its length: a library's first use.
_NOISE_SECONDS = 0.5


def seconds(reading: ReadingProcess, text: str, ending: str, folder: Path) -> tuple[float, str]:
    """What a text takes of a processor, and the reason where it is refused ("" where it is not)."""
    path = folder / "text"
    path.write_text(text, "utf-8")
    try:
        reading.read(path, name=f"text.{ending}")
        read = reading.used_seconds
        # Of common vocabularies, a token has about four characters.
        tokens = [len(sentence.text) // 4 + 1 for sentence in reading.sentences]
        reading.cut(tokens, size=192, overlap=0)
    except ReadError as error:
        return reading.used_seconds, error.reason.value
    return read + reading.used_seconds, ""


@click.command()
@click.option("--size", "sizes", multiple=True, type=int, default=_SIZES, show_default=True)
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Default: all.")
def main(sizes: Sequence[int], kinds: Sequence[str]) -> None:
    """Print a table in Markdown; exit 1 when a kind's seconds grow faster than its length."""
    steep = []
    click.echo(f"| kind of text | {' | '.join(f'{size:,}' for size in sizes)} |")
    click.echo(f"|---|{'---:|' * len(sizes)}")
    settings = IndexSettings(max_document_sentences=10_000_000, read_seconds=600)
    with tempfile.TemporaryDirectory() as folder, ReadingProcess(settings) as reading:
        for ending in ("txt", "md", "html"):
            seconds(reading, "<p>The harbour was dredged in 1987. " * 30, ending, Path(folder))
        for kind in kinds or KINDS:
            ending, made = KINDS[kind]
            taken = [seconds(reading, made(size), ending, Path(folder)) for size in sizes]
            cells = [f"{time_:.2f} {reason}".strip() for time_, reason in taken]
            click.echo(f"| {kind} | {' | '.join(cells)} |")
            ratios = zip(pairwise(sizes), pairwise(time_ for time_, _ in taken), strict=True)
            if any(
                after - _NOISE_SECONDS > _STEEPEST * large / small / 10 * before
                for (small, large), (before, after) in ratios
            ):
                steep.append(kind)
    if steep:
        click.echo(f"these grow faster than their length: {', '.join(steep)}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
