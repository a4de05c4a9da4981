"""Figures as SVG inside a page, drawn by matplotlib: their text stays text, their colours are the page's.

A figure uses the CSS custom properties `--ink`, `--quiet`, `--line`, `--accent` and `--bad`: it follows light and dark.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure  # without pyplot: no window system, nothing global

from eval.report.excerpt import excerpt

# matplotlib knows no custom properties: colours that occur nowhere else stand for them until the SVG is written.
_INK, _QUIET, _LINE, _ACCENT, _BAD = "#010203", "#020304", "#030405", "#040506", "#050607"
_PROPERTIES = {_INK: "--ink", _QUIET: "--quiet", _LINE: "--line", _ACCENT: "--accent", _BAD: "--bad"}

_INLINED = (
    (re.compile(r"<metadata>.*?</metadata>", re.DOTALL), ""),
    (re.compile(r"<style.*?</style>", re.DOTALL), ""),  # it would hold for the whole page
    (re.compile(r'<svg [^>]*(viewBox="[^"]*")[^>]*>'), r'<svg \1 aria-hidden="true" focusable="false">'),
    (re.compile(r'<g id="[^"]*"(/?)>'), r"<g\1>"),  # the same in every figure; a page may hold an id once
    (re.compile(r"font-family: [^;\"]*; ?"), ""),
    (re.compile(r"xlink:href="), "href="),
)

_WIDTH = 5.0  # inches of 72 SVG units: the letters can be read on a phone and beside a table
_LETTERS = 9
_MARGIN = 1.35
_ROW = 0.27
_BINS = 40


@dataclass(frozen=True, slots=True)
class Interval:
    """A row of `intervals`: a value between the ends of its interval; `bad` sets it in the warning colour."""

    name: str
    value: float
    low: float
    high: float
    bad: bool = False


def intervals(rows: Sequence[Interval], *, name: str, around_zero: bool = False) -> str:
    """Dots with whiskers, one row for each, the first on top; an axis from 0 to 1, or around 0. Empty for no rows."""
    if not rows:
        return ""
    figure, axes = _canvas(height=_ROW * len(rows) + 0.45, bottom=0.4, left=_MARGIN)
    for position, row in enumerate(rows):
        colour = _BAD if row.bad else _ACCENT
        axes.plot([row.low, row.high], [position] * 2, color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot([row.value], [position], "o", color=colour, markersize=5.5)
    axes.set_yticks(range(len(rows)), [excerpt(row.name, length=24) or "–" for row in rows], parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    ends = [end for row in rows for end in (row.low, row.high, row.value)]
    if around_zero:
        reach = max(0.05, *(abs(end) for end in ends)) * 1.05
        axes.set_xlim(-reach, reach)
        axes.axvline(0, color=_QUIET, linewidth=1)
    else:
        axes.set_xlim(min(0.0, *ends) - 0.01, max(1.0, *ends) + 0.01)
    axes.grid(axis="x", color=_LINE, linewidth=0.7)
    return _svg(figure, name)


def latency(values: Sequence[float], marks: Mapping[str, float], *, name: str = "latency") -> str:
    """How many questions took how long, in milliseconds, with lines at `marks`. Empty for no values."""
    if not values:
        return ""
    figure, axes = _canvas(height=2.1, bottom=0.55, left=0.6)
    axes.hist(values, bins=min(_BINS, max(5, len(values) // 2)), color=_ACCENT, rwidth=0.92)
    for mark, value in marks.items():
        axes.axvline(value, color=_BAD, linewidth=1.2, linestyle=(0, (4, 2)))
        axes.annotate(
            mark,
            (value, 0.98),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            color=_INK,
            fontsize=_LETTERS,
            va="top",
            parse_math=False,
        )
    axes.set_ylim(0, axes.get_ylim()[1] * 1.25)  # room for the names of the marks
    axes.set_xlim(0, max(*values, *marks.values(), 1.0) * 1.1)
    axes.set_xlabel("milliseconds", color=_QUIET, fontsize=_LETTERS)
    axes.set_ylabel("questions", color=_QUIET, fontsize=_LETTERS)
    axes.locator_params(axis="y", integer=True, nbins=5)
    axes.grid(axis="y", color=_LINE, linewidth=0.7)
    return _svg(figure, name)


def heat(value: float) -> tuple[str, str]:
    """The background and the ink, as CSS colours, of a cell with a value from 0 to 1.

    The map is cividis, made for every kind of colour sight: https://doi.org/10.1371/journal.pone.0199239. The ink is
    black or white, whichever has the larger contrast by https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio.
    """
    red, green, blue, _ = mpl.colormaps["cividis"](min(max(value, 0.0), 1.0))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    dark = (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05)
    return (
        f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}",
        "#000" if dark else "#fff",
    )


# -- matplotlib


def _canvas(*, height: float, bottom: float, left: float) -> tuple[Figure, Axes]:
    """A figure with one axis; lengths in inches."""
    figure = Figure(figsize=(_WIDTH, height))
    axes = figure.add_axes(
        (left / _WIDTH, bottom / height, 1 - (left + 0.15) / _WIDTH, 1 - (bottom + 0.05) / height)
    )
    axes.set_axisbelow(True)
    axes.set_facecolor("none")
    axes.tick_params(length=0, labelsize=_LETTERS, colors=_INK)
    for side in axes.spines.values():
        side.set_visible(False)
    return figure, axes


def _svg(figure: Figure, name: str) -> str:
    """The `svg` element alone, in the page's colours and letters; `name` keeps its ids apart from other figures'."""
    written = io.StringIO()
    with warnings.catch_warnings(), mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        # The reader's letters are used, not matplotlib's.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    for pattern, instead in _INLINED:
        svg = pattern.sub(instead, svg)
    for colour, variable in _PROPERTIES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg.strip()
