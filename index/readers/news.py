"""News pages, whatever their language: the source line, comment counters, captions.

Works on the lines of normalised text. Which word means "source", "comments" or "photo" is data
(`index/data/news.toml`); the rules here know only where such a line stands and what surrounds the word.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from urllib.parse import urlsplit

import regex

from index.normalise import normalise
from index.readers.shape import stands_over
from index.types import SentenceKind, Span

_TABLE = Path(__file__).parent.parent / "data" / "news.toml"

# Counters stand among the last lines of a page; the same words higher up are the text.
_TAIL_LINES = 8
# Text that may stand between the word and its URL ("Source: VnExpress (https://...)") or after it ("accessed
# ..."); a longer line says more than where it is from, and is kept.
_MOST_BESIDE_URL = 60
# A caption is a line or two under a picture; with the credit of its photographer, some more.
_LONGEST_CAPTION = 200
_LONGEST_CREDITED = 400

_URL = regex.compile(r"""https?://[^\s<>"«»“”「」『』（）【】，。；、।]+""", regex.I)
# Longer ones are refused by browsers and servers alike.
_LONGEST_URL = 2048
_AFTER_URL = ".,;:!?*_…'’\\"
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class NewsPage:
    """Text without its source line and counters; spans are in order, without overlap, and refer to `text`.

    `lines` are (start before, start in `text`) of the lines that were kept, in order.
    """

    text: str
    source_url: str | None
    marked: tuple[Span, ...]
    lines: tuple[tuple[int, int], ...]

    def moved(self, offset: int) -> int:
        """Where an offset of the text before is now; of a line that was dropped: where the next one begins."""
        at = bisect_right(self.lines, (offset, len(self.text)))
        before, now = self.lines[at - 1] if at else (offset, 0)
        following = self.lines[at][1] if at < len(self.lines) else len(self.text)
        return min(now + offset - before, following)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    start: int
    kind: SentenceKind | None = None
    dropped: bool = False


def read_news(text: str, marked: Sequence[Span] = ()) -> NewsPage:
    """The page in normalised `text`, whose `marked` spans (whole lines, in order) a reader already knows.

    The last line that is a word for "source" with an http(s) URL gives `source_url` and is dropped; so are
    comment counters among the last lines. A source line without a URL stays. Lines that look like captions
    are marked.
    """
    lines = _lines(text, marked)
    lines, source_url = _take_source(lines)
    lines = _drop_counters(lines)
    lines = _mark_captions(lines)
    kept = _without_gaps(lines)
    starts = accumulate((len(line.text) + 1 for line in kept), initial=0)
    moved = tuple((line.start, now) for line, now in zip(kept, starts, strict=False))
    return NewsPage("\n".join(line.text for line in kept), source_url, _spans(kept), moved)


def web_address(text: str) -> str | None:
    """The first http(s) URL in `text` without the punctuation around it; None when there is none."""
    match = _URL.search(text)
    if match is None or len(match.group()) > _LONGEST_URL:
        return None
    return _clean_url(match.group())


def names_source(text: str) -> bool:
    """True for a short line that opens with a word for "source" and a colon: its link is the source."""
    return len(text) <= 2 * _MOST_BESIDE_URL and _patterns().source_label.match(text) is not None


@dataclass(frozen=True, slots=True)
class _Patterns:
    source_line: regex.Pattern[str]
    source_label: regex.Pattern[str]
    counter: regex.Pattern[str]
    credit: regex.Pattern[str]


@lru_cache(maxsize=1)
def _patterns() -> _Patterns:
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    source, counter, credit = (_alternatives(table[name]) for name in ("source", "counter", "credit"))
    # Brackets, quotes, asterisks and dashes may decorate a line; letters and digits may not.
    edge = r"[\p{P}\p{S}\s]*"
    number = r"[(\[（]?\s*\p{Nd}[\p{Nd}.,]*\s*[)\]）]?"
    return _Patterns(
        source_line=regex.compile(
            rf"^{edge}(?:{source})\s*(?:[:：]\s*(?P<before>.{{0,{_MOST_BESIDE_URL}}}?)|[\-–—|(（]*\s*)(?={_URL.pattern})",
            regex.I,
        ),
        source_label=regex.compile(rf"^{edge}(?:{source})\s*[:：]", regex.I),
        counter=regex.compile(
            rf"^{edge}(?:(?:{counter})\s*[:：]?\s*{number}|{number}\s*(?:{counter})){edge}$", regex.I
        ),
        # Bengali and Hindi attach vowels to a word that is none of ours: a mark must not follow, a letter not
        # precede.
        credit=regex.compile(rf"(?<![\p{{L}}\p{{M}}\p{{N}}])(?:{credit})\s*[:：/]\s*\S", regex.I),
    )


def _alternatives(rows: dict[str, list[str]]) -> str:
    words = {normalise(word) for row in rows.values() for word in row}
    # Longer words first, so that "source url" is not read as "source" with "url" beside it.
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return "|".join(regex.escape(word, literal_spaces=True) for word in ordered)


def _lines(text: str, marked: Sequence[Span]) -> list[_Line]:
    lines: list[_Line] = []
    position = 0
    spans = iter(marked)
    span = next(spans, None)
    for text_line in text.split("\n"):
        while span is not None and span.end <= position:
            span = next(spans, None)
        inside = span is not None and span.start <= position < span.end
        lines.append(_Line(text_line, position, span.kind if inside and span is not None else None))
        position += len(text_line) + 1
    return lines


def _take_source(lines: list[_Line]) -> tuple[list[_Line], str | None]:
    """The lines with the source line dropped, and its URL; the last one counts, earlier ones are of
    pictures."""
    for index in range(len(lines) - 1, -1, -1):
        url, last = _source_at(lines, index)
        if url is not None:
            return [replace(x, dropped=index <= i <= last) for i, x in enumerate(lines)], url
    return lines, None


def _source_at(lines: list[_Line], index: int) -> tuple[str | None, int]:
    """The URL of a source line at `index` and the index of its last line; None when it is not one."""
    line = lines[index].text
    if lines[index].kind == "row" or len(line) > _LONGEST_URL + 3 * _MOST_BESIDE_URL:
        return None, index
    match = _patterns().source_line.match(line)
    if match is not None:
        url = web_address(line[match.end() :])
        rest = line[match.end() :].replace(url or "", "", 1)
        return (url, index) if url and len(rest) <= _MOST_BESIDE_URL else (None, index)
    # The word on one line and the URL alone on the next.
    label = _patterns().source_label.match(line)
    following = next((i for i in range(index + 1, len(lines)) if lines[i].text.strip()), None)
    if label is None or label.end() < len(line.rstrip()) or following is None:
        return None, index
    below = lines[following].text.strip()
    url = web_address(below)
    return (url, following) if url is not None and len(below) <= len(url) + 3 else (None, index)


def _clean_url(url: str) -> str | None:
    """`url` without trailing punctuation and unpaired brackets; None when no host is left."""
    while url:
        last = url[-1]
        if last in _AFTER_URL or (last in _PAIRS and url.count(last) > url.count(_PAIRS[last])):
            url = url[:-1]
        else:
            break
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return None
    return url if host else None


def _drop_counters(lines: list[_Line]) -> list[_Line]:
    visible = [i for i, line in enumerate(lines) if line.text.strip() and not line.dropped]
    # The first line is never a counter: a text of one line would lose everything.
    tail = {i for i in visible[1:][-_TAIL_LINES:] if lines[i].kind != "row" and _is_counter(lines[i].text)}
    return [replace(line, dropped=line.dropped or i in tail) for i, line in enumerate(lines)]


def _is_counter(line: str) -> bool:
    return len(line) <= _MOST_BESIDE_URL and _patterns().counter.match(line) is not None


def _mark_captions(lines: list[_Line]) -> list[_Line]:
    return [
        replace(line, kind="caption") if line.kind is None and _is_caption(lines, i) else line
        for i, line in enumerate(lines)
    ]


def _is_caption(lines: list[_Line], index: int) -> bool:
    line = lines[index]
    text = line.text.strip()
    if line.dropped or not text:
        return False
    return _has_credit(text) or _stands_over_paragraph(lines, index, text)


def _has_credit(text: str) -> bool:
    """A photo credit closes the line (or opens a short one); inside a long paragraph it is just a word."""
    if len(text) > _LONGEST_CREDITED:
        return False
    return any(
        match.start() == 0 or len(text) - match.start() <= _LONGEST_CAPTION // 2
        for match in _patterns().credit.finditer(text)
    )


def _stands_over_paragraph(lines: list[_Line], index: int, text: str) -> bool:
    """A short unfinished line after a blank one, with a whole paragraph directly below."""
    if index == 0 or index + 1 == len(lines) or lines[index - 1].text.strip():
        return False
    below = lines[index + 1]
    if below.dropped or below.kind is not None or len(text) > _LONGEST_CAPTION:
        return False
    return stands_over(text, below.text.strip())


def _spans(kept: list[_Line]) -> tuple[Span, ...]:
    """The spans of marked lines; touching lines of one kind are one span."""
    spans: list[Span] = []
    position = 0
    for line in kept:
        start = position + len(line.text) - len(line.text.lstrip())
        end = position + len(line.text.rstrip())
        if line.kind is not None and start < end:
            if spans and spans[-1].kind == line.kind and spans[-1].end == position - 1:
                spans[-1] = Span(spans[-1].start, end, line.kind)
            else:
                spans.append(Span(start, end, line.kind))
        position += len(line.text) + 1
    return tuple(spans)


def _without_gaps(lines: list[_Line]) -> list[_Line]:
    """The kept lines; where one was dropped between blank lines, one blank line remains; none at either
    end."""
    kept: list[_Line] = []
    gap = False
    for line in lines:
        if line.dropped:
            gap = True
        elif line.text.strip() or not gap or (kept and kept[-1].text.strip()):
            kept.append(line)
            gap = gap and not line.text.strip()
    while kept and not kept[-1].text.strip():
        kept.pop()
    while kept and not kept[0].text.strip():
        kept.pop(0)
    return kept
