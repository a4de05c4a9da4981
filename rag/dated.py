"""Of when documents are, by the date that stands at their head, else by the year in their title."""

from __future__ import annotations

from collections.abc import Collection

from index.corpus import Corpus
from index.language.dates import Day
from index.language.quantities import find_quantities

# Sentences at whose head a date is the document's own: its title, a line below it. Chosen.
_HEAD = 3
# More characters are a sentence of the text, whose date may be of anything. Chosen.
_LONGEST = 120


def days_of(ids: Collection[str], corpus: Corpus) -> dict[str, Day]:
    """The day of each of some documents that gives one, by id; the year is always known."""
    found: dict[str, Day] = {}
    for document_id, info in corpus.document_infos(ids).items():
        heads = corpus.sentences_of(document_id, 0, _HEAD - 1)
        texts = [(s.text, s.language) for s in heads if len(s.text) <= _LONGEST]
        days = [day for text, language in texts for day in _days(text, language)]
        days += _days(info.title, info.language)
        if days:
            found[document_id] = max(days, key=lambda day: (day.day is not None, day.month is not None))
    return found


def _days(text: str, language: str) -> list[Day]:
    """The dates of a text that have a year, and no other reading."""
    found = [q for q in find_quantities(text, language) if q.kind == "date" and q.form == "one"]
    return [q.days[0] for q in found if len(q.days) == 1 and q.days[0].year is not None]


def newness(day: Day | None) -> tuple[int, int, int]:
    """What orders days, the newer larger; None: not known, before all."""
    return (0, 0, 0) if day is None else (day.year or 0, day.month or 0, day.day or 0)


def iso(day: Day) -> str:
    """A day by ISO 8601, as far as it is known: "2025", "2025-03", "2025-03-09"."""
    parts = [f"{day.year:04}"]
    for part in (day.month, day.day):
        if part is None:
            break
        parts.append(f"{part:02}")
    return "-".join(parts)


def of_iso(text: str) -> Day:
    """The day that `iso` wrote.

    Raises:
        ValueError: it is none.
    """
    year, month, day = ([int(part) for part in text.split("-")] + [None, None])[:3]
    return Day(year, month, day)
