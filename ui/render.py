"""What the command line shows: answers, summaries and checks for a person, with rich.

On a terminal lines are wrapped at its width, between words, and never inside a character (a grapheme cluster) or
a URL. Elsewhere the text is plain and unwrapped, for pipes and files.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import regex
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from rag.notices import notices_in
from rag.places import place_words
from ui.names import language_name

if TYPE_CHECKING:
    from index.doctor import Check
    from index.indexer import Summary
    from rag.answer import Answer, Citation

_INDENT = "    "
_NAMES_SHOWN = 5
_WORDS = regex.compile(r"\S+")
_CLUSTERS = regex.compile(r"\X")


def terminal(*, stderr: bool = False) -> Console:
    """A console that takes every text literally: no markup, no emoji codes, no colouring by pattern."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def show_answer(console: Console, answer: Answer) -> None:
    """An answer for reading: the short answer first, then the sentences, then the sources.

    A refusal is followed by the nearest passages, marked as such.
    """
    sure = answer.confidence == "answered"
    _paragraph(console, answer.answer, lead=answer.short_answer if sure else None)
    if answer.notice:
        _paragraph(console, answer.notice, style="yellow", gap=True)
    if answer.grounding == "partial":
        _paragraph(console, "(The documents do not bear out every part of this answer.)", style="yellow")
    if answer.refused and answer.citations:
        _paragraph(console, notices_in(answer.language)["nearest"], style="dim", gap=True)
    for citation in answer.citations:
        _citation(console, citation, answer.language, quoted=citation.quote in answer.answer)


def _citation(console: Console, citation: Citation, language: str, *, quoted: bool) -> None:
    """A source. A quote that stands in the answer already is not repeated."""
    head = f"[{citation.marker}] {citation.title} ({language_name(citation.language)})"
    _paragraph(console, head, lead=f"[{citation.marker}]", style="none", hang=_INDENT, gap=True)
    if citation.gloss is not None:
        _paragraph(console, f"“{citation.gloss.text}”", indent=_INDENT)
        version = f"its own version in {language_name(citation.gloss.language)}"
        _paragraph(console, version, indent=_INDENT, style="dim")
    if not quoted:
        _paragraph(console, f"“{citation.quote}”", indent=_INDENT)
    where = place_words(citation, language)
    if where:
        _paragraph(console, where, indent=_INDENT, style="dim")
    if citation.source_url:
        _paragraph(console, citation.source_url, indent=_INDENT, style="cyan")
    others = list(dict.fromkeys(language_name(each.language) for each in citation.parallel))
    if others:
        _paragraph(console, f"also in: {', '.join(others)}", indent=_INDENT, style="dim")


def show_summary(console: Console, summary: Summary) -> None:
    """What a run of `rag index` did; every skipped file by name with its reason."""
    for label, names in (
        ("added", summary.added),
        ("changed", summary.changed),
        ("removed", summary.removed),
    ):
        if names:
            _paragraph(console, f"{label:<10}{len(names):,}: {_listed(names)}", hang=" " * 10)
    if summary.unchanged:
        _paragraph(console, f"{'unchanged':<10}{summary.unchanged:,}")
    for path, reason, detail in summary.skipped:
        _paragraph(console, f"{'skipped':<10}{path} ({reason}): {detail}", hang=" " * 10, style="yellow")
    for path, notice in summary.noticed:
        _paragraph(console, f"{'in part':<10}{path}: {notice}", hang=" " * 10, style="yellow")
    total = ", ".join(
        (
            _counted(summary.documents, "document"),
            _counted(summary.chunks, "passage"),
            _counted(summary.sentences, "sentence"),
        )
    )
    _paragraph(console, f"{'indexed':<10}{total} in {summary.seconds:.1f} s")


def show_check(console: Console, check: Check) -> None:
    """One line of `rag doctor`; a failing one ends with the command that mends it."""
    mark, style = ("ok  ", "green") if check.ok else ("FAIL", "bold red")
    line = f"{mark}  {check.name}: {check.detail}"
    if not check.ok:
        line += f". Remedy: {check.remedy}"
    _paragraph(console, line, lead=mark, lead_style=style, hang=" " * 6)


def show_settings(console: Console, rows: Iterable[tuple[str, str, str]]) -> None:
    """(name, value, description) of each setting."""
    for name, value, description in rows:
        _paragraph(console, f"{name}={value}", lead=name)
        _paragraph(console, description, indent=_INDENT, style="dim")


# -- lines


def _paragraph(
    console: Console,
    text: str,
    *,
    lead: str | None = None,
    lead_style: str = "bold",
    style: str = "none",
    indent: str = "",
    hang: str | None = None,
    gap: bool = False,
) -> None:
    """Print a text, its lines wrapped on a terminal.

    Args:
        lead: when the text begins with it, that part is set in `lead_style`; when it does not, it comes first on a
            line of its own.
        indent, hang: what goes before the first and before the other lines; `hang` None: as `indent`.
        gap: an empty line before it.
    """
    if gap:
        console.print()
    text = printable(text)
    lead = printable(lead) if lead else ""
    if lead and not text.startswith(lead):
        console.print(Text(lead, style=lead_style), soft_wrap=True)
        lead = ""
    hang = indent if hang is None else hang
    width = console.width if console.is_terminal else None
    for number, line in enumerate(wrapped(text, width=width, indent=indent, hang=hang)):
        shown = Text(line, style=style)
        if number == 0 and lead:
            shown.stylize(lead_style, len(indent), len(indent) + len(lead))
        console.print(shown, soft_wrap=True)


def printable(text: str) -> str:
    """A text without what a terminal would obey (escape sequences) or an encoder refuse (lone surrogates)."""
    whole = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(map(_plain, whole))


def _plain(character: str) -> str:
    if character == "\n" or unicodedata.category(character) != "Cc":
        return character
    return " " if character.isspace() else ""


def wrapped(text: str, *, width: int | None, indent: str = "", hang: str = "") -> Iterator[str]:
    """The lines of a text, broken between words so that each takes at most `width` columns; None: not broken.

    A word wider than a line is cut between grapheme clusters, a URL is left whole.
    """
    before = indent
    for paragraph in text.split("\n"):
        if width is None:
            yield before + paragraph
        else:
            yield from _fill(paragraph, width=width, indent=before, hang=hang)
        before = hang


def _fill(paragraph: str, *, width: int, indent: str, hang: str) -> Iterator[str]:
    line, empty = indent, True
    for word in _WORDS.findall(paragraph):
        for piece in _pieces(word, max(1, width - cell_len(hang))):
            space = "" if empty else " "
            if not empty and cell_len(line) + len(space) + cell_len(piece) > width:
                yield line
                line, space = hang, ""
            line, empty = line + space + piece, False
    yield line


def _pieces(word: str, width: int) -> Sequence[str]:
    if cell_len(word) <= width or "://" in word:
        return [word]
    pieces = [""]
    for cluster in _CLUSTERS.findall(word):
        if pieces[-1] and cell_len(pieces[-1]) + cell_len(cluster) > width:
            pieces.append("")
        pieces[-1] += cluster
    return pieces


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
