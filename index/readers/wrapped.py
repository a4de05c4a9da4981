"""Lines that a page width cut, joined to paragraphs again: a sentence must not end where a line does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import regex

from index.readers.shape import ends_sentence, is_list_item

# Widths that editors and mail programs wrap at; longer lines are paragraphs of their own.
_NARROWEST, _WIDEST = 40, 120
# So many line ends must be where the next word would not have fitted, for a text to count as wrapped.
_FILLED_SHARE = 0.8
_FEWEST_BREAKS = 3
# Proportional fonts: a printed line of fewer characters than this share of the page's width ended its
# paragraph.
_SHORT_LINE = 0.75

# Scripts without spaces between words: their lines join without one.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u3000-\u303F\uFF00-\uFFEF]"
_NO_SPACE = regex.compile(rf"{_UNSPACED}\n{_UNSPACED}")
_HYPHENATED = regex.compile(r"\p{L}[-\u2010\u00AD]\n\p{Ll}")
_HYPHEN_KEPT = regex.compile(r"[\p{L}\p{N}][-\u2010]\n[\p{L}\p{N}]")


def glue(lines: Sequence[str], *, hyphens: bool = True) -> str:
    """Lines of one paragraph as one: a word cut by a hyphen becomes whole when `hyphens`.

    A hyphen before a small letter is taken for the end of a line ("informa-" + "tion"), before a capital or
    digit for part of the word ("57-" + "NQ/TW"). Scripts without spaces join without one.
    """
    visible = [line.strip() for line in lines if line.strip()]
    parts: list[str] = []
    for line, following in pairwise(visible):
        seam = f"{line[-2:]}\n{following[:1]}"
        if hyphens and _HYPHENATED.search(seam):
            parts.append(line[:-1])
        elif (hyphens and _HYPHEN_KEPT.search(seam)) or _NO_SPACE.search(seam):
            parts.append(line)
        else:
            parts.append(f"{line} ")
    return "".join([*parts, *visible[-1:]])


def unwrap(text: str) -> str:
    """`text` with its hard line ends undone if it has any; other text exactly as it is.

    A text is wrapped when its lines are filled: nearly every line inside a paragraph ends where the next
    word would have made it longer than the longest line. Lists and verses are not.
    """
    lines = text.split("\n")
    width = max(map(len, lines), default=0)
    if not _NARROWEST <= width <= _WIDEST:
        return text
    breaks = [i for i in range(len(lines) - 1) if lines[i].strip() and lines[i + 1].strip()]
    filled = {i for i in breaks if _is_filled(lines[i], lines[i + 1], width)}
    if len(breaks) < _FEWEST_BREAKS or len(filled) < _FILLED_SHARE * len(breaks):
        return text
    result = [[lines[0]]]
    for i, line in enumerate(lines[1:]):
        if i in filled and not is_list_item(line):
            result[-1].append(line)
        else:
            result.append([line])
    # A line on its own keeps its indent.
    return "\n".join(glue(group) if len(group) > 1 else group[0] for group in result)


def _is_filled(line: str, following: str, width: int) -> bool:
    return len(line.rstrip()) + 1 + len(following.split(maxsplit=1)[0]) > width


def paragraphs(lines: Sequence[str]) -> Iterator[str]:
    """The paragraphs of the printed `lines` of one page.

    One ends at a blank line, before a list item, and after a line clearly shorter than the page is wide.
    """
    width = _page_width(lines)
    current: list[str] = []
    for line in lines:
        if current and (not line.strip() or is_list_item(line) or _ended(current[-1], line, width)):
            yield glue(current)
            current = []
        if line.strip():
            current.append(line.strip())
    if current:
        yield glue(current)


def continues(paragraph: str, following: str) -> bool:
    """True when a paragraph runs on over a page end: it is unfinished and the next one starts small."""
    first = following.lstrip()[:1]
    unfinished = not ends_sentence(paragraph)
    # Scripts without case cannot tell by a capital; an unfinished long line is taken to run on.
    return unfinished and (
        first.islower() or (len(paragraph) > _WIDEST and not (first.isupper() or first.isdigit()))
    )


def _page_width(lines: Sequence[str]) -> int:
    lengths = sorted(len(line.strip()) for line in lines if line.strip())
    # The ninth tenth: one overlong line (a table, a URL) does not set the width.
    return lengths[(len(lengths) * 9) // 10 if len(lengths) > 1 else 0] if lengths else 0


def _ended(previous: str, line: str, width: int) -> bool:
    words = line.split(maxsplit=1)
    room = len(previous) + 1 + (len(words[0]) if words else 0)
    return room < _SHORT_LINE * width or (
        room < width and ends_sentence(previous) and not line.strip()[:1].islower()
    )
