"""Questions that the rows of a table answer together: which has the most or the least, and how many there are.

Words of the language tables say that it is one (`[shape]`: most, least, rows). The table is that of the row which
answers best. The column is the one that the question names, in its own words or in the nearest ones of another
language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

import numpy as np
import regex
from numpy.typing import NDArray

from index.corpus import Corpus
from index.language.lexicon import lexicon
from index.language.quantities import find_quantities
from index.language.terms import fold, split_words
from index.readers.tables import is_value
from index.types import Sentence
from rag.evidence import Evidence, Support
from rag.matching.retriever import with_places
from rag.question import Question
from rag.shape import holds

Asked = Literal["most", "least", "rows"]
Embeds = Callable[[Sequence[str]], NDArray[np.float32]]

CITED = 12
"""Rows that are cited. Chosen: more are read in the document."""
# Chosen: the cells of a column of more rows take longer to read than a person waits.
_MOST_ROWS = 2000
_FEWEST_ROWS = 3
# Of so many rows, in so large a share, a column of numbers holds one number each. Chosen.
_SAMPLE, _MOSTLY = 20, 0.8
# Passages and sentences among which a table with the question's words is looked for. Chosen: the reader prefers others.
_PASSAGES = 3
# Two words are forms of one where they begin alike for so long. Chosen: "ward" and "wards", "pris" and "priset".
_ALIKE = 4
_BRACKETS = regex.compile(r"\([^)]*\)")
_FIELD = regex.compile(r"(?:^|; )(?P<name>[^:;]{1,80}): (?P<value>.*?)(?=; [^:;]{1,80}: |$)")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells by the names of their columns, and the sentences that it stands in."""

    cells: dict[str, str]
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Tabled:
    """What the rows of a table answer together.

    Attributes:
        asked: what of them.
        rows: those that answer, as evidence, at most `CITED`: those with the most or least, or those that are counted.
        labels: what each of them is called, in the words of its cell.
        short: their labels; where a number is asked for, the cell with the most or least; how many they are.
        count: of the rows that were looked at.
        named: whether the question names what is compared or counted in the table's own words.
    """

    asked: Asked
    rows: tuple[Support, ...]
    labels: tuple[str, ...]
    short: str
    count: int
    named: bool


def asked_of_rows(question: Question) -> Asked | None:
    """What a question asks of all rows of a table, if it does."""
    shape = lexicon(question.language).shape
    if question.wants_number and holds(question.text, shape.get("rows", ())):
        return "rows"
    if question.kind in {"reason", "manner", "date"}:
        return None
    found: list[Asked] = [each for each in ("most", "least") if holds(question.text, shape.get(each, ()))]
    return found[0] if len(found) == 1 else None


def tabled(question: Question, evidence: Evidence, corpus: Corpus, embed: Embeds) -> Tabled | None:
    """What the rows of the table that the evidence stands in answer together; None for any other question.

    Args:
        question: as it is answered.
        evidence: for it.
        corpus: that the evidence is of.
        embed: the vectors of texts, (texts, dimension), unit rows.
    """
    asked = asked_of_rows(question) if evidence.supports and not evidence.missing else None
    if asked is None:
        return None
    if asked == "rows":
        return _counted(question, evidence, corpus)
    for place, support in enumerate(evidence.supports[:_PASSAGES]):
        found = _extreme(question, support, asked, corpus, embed)
        if found is not None and (not place or found.named):
            return found
    return None


def _counted(question: Question, evidence: Evidence, corpus: Corpus) -> Tabled | None:
    for hit in evidence.hits[:_PASSAGES]:
        sentences = evidence.inside.get(hit.chunk.id, ((), None))[0]
        row = next((sentence for sentence in sentences if sentence.kind == "row"), None)
        rows = [] if row is None else _rows(row, corpus)
        label = next((name for name in _names(rows) if _names_it(question, name)), None)
        if label is None:
            continue
        return Tabled(
            asked="rows",
            rows=_cited([row.sentences[0] for row in rows], replace(evidence.supports[0], hit=hit), corpus),
            labels=tuple(row.cells.get(label, "") for row in rows[:CITED]),
            short=str(len(rows)),
            count=len(rows),
            named=True,
        )
    return None


def _extreme(
    question: Question, first: Support, asked: Asked, corpus: Corpus, embed: Embeds
) -> Tabled | None:
    rows = _rows(first.sentence, corpus)
    language = first.sentence.language
    names = list(_names(rows))
    numeric = [name for name in names if _is_numeric(name, rows[:_SAMPLE], language)]
    texts = [name for name in names if name not in numeric]
    if len(rows) < _FEWEST_ROWS or not numeric or not texts:
        return None
    named = [name for name in numeric if _names_it(question, name)]
    column = (
        (named or numeric)[0] if len(named or numeric) == 1 else _nearest(question, named or numeric, embed)
    )
    valued = [
        (value, row) for row in rows if (value := _value(row.cells.get(column, ""), language)) is not None
    ]
    if len(valued) < _MOSTLY * len(rows):
        return None
    best = (max if asked == "most" else min)(value for value, _ in valued)
    found = [row for value, row in valued if value == best]
    asked_for = next((name for name in texts if _names_it(question, name)), None)
    labels = tuple(row.cells.get(asked_for or texts[0], "") for row in found[:CITED])
    sentences = [next(s for s in row.sentences if column in dict(_cells(s.text))) for row in found]
    return Tabled(
        asked=asked,
        rows=_cited(sentences, first, corpus),
        labels=labels,
        short=found[0].cells[column] if question.wants_number and asked_for is None else ", ".join(labels),
        count=len(valued),
        named=bool(named),
    )


def _cited(sentences: Sequence[Sentence], first: Support, corpus: Corpus) -> tuple[Support, ...]:
    """Rows as evidence, each with the passage that it stands in; `first` is of their document."""
    some = sentences[:CITED]
    holding = {key: ids[0] for key, ids in corpus.chunks_holding([each.id for each in some]).items()}
    chunks = {chunk.id: chunk for chunk in corpus.chunks(list(dict.fromkeys(holding.values())))}
    hits = with_places([replace(first.hit, chunk=chunks[holding[each.id]]) for each in some], corpus.reader())
    return tuple(
        replace(first, sentence=each, hit=hit, span=None) for each, hit in zip(some, hits, strict=True)
    )


def _rows(row: Sentence, corpus: Corpus) -> list[Row]:
    """The rows of the table that a row stands in, in order, without its sums; [] for other sentences, long tables."""
    if row.kind != "row":
        return []
    near = corpus.sentences_of(row.document_id, max(0, row.ordinal - _MOST_ROWS), row.ordinal + _MOST_ROWS)
    key = next(_cells(row.text), ("", ""))[0]
    place = next(i for i, sentence in enumerate(near) if sentence.id == row.id)
    start, end = place, place + 1
    while start and _is_of(near[start - 1], key):
        start -= 1
    while end < len(near) and _is_of(near[end], key):
        end += 1
    if not key or end - start > _MOST_ROWS:
        return []
    sums = lexicon(row.language).shape.get("sums", ())
    found: list[Row] = []
    for sentence in near[start:end]:
        cells = dict(_cells(sentence.text))
        if found and found[-1].cells[key] == cells[key] and len(found[-1].cells.keys() & cells.keys()) == 1:
            found[-1] = Row(found[-1].cells | cells, (*found[-1].sentences, sentence))  # a wide row goes on
        elif not holds(cells[key], sums):
            found.append(Row(cells, (sentence,)))
    return found


def _is_of(sentence: Sentence, key: str) -> bool:
    return sentence.kind == "row" and next(_cells(sentence.text), ("", ""))[0] == key


def _cells(text: str) -> Iterator[tuple[str, str]]:
    """The names of columns and the cells of a row as `index.readers.tables.record` writes it."""
    for found in _FIELD.finditer(text):
        yield found["name"], found["value"]


def _names(rows: Sequence[Row]) -> dict[str, None]:
    return dict.fromkeys(name for row in rows[:_SAMPLE] for name in row.cells)


def _is_numeric(name: str, rows: Sequence[Row], language: str) -> bool:
    cells = [row.cells[name] for row in rows if name in row.cells]
    return sum(_value(cell, language) is not None for cell in cells) >= _MOSTLY * max(len(cells), 1)


def _value(cell: str, language: str) -> float | None:
    """The number of a cell that is one and no date."""
    found = find_quantities(cell, language) if is_value(cell) else []
    one = found[0] if len(found) == 1 else None
    return one.values[0] if one and one.form == "one" and not one.days and len(one.values) == 1 else None


def _names_it(question: Question, name: str) -> bool:
    """Whether a question has a word of a column's name, its unit in brackets apart, in whichever form."""
    asked = split_words(fold(question.text))
    return any(_alike(word, other) for word in split_words(fold(_BRACKETS.sub("", name))) for other in asked)


def _alike(word: str, other: str) -> bool:
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    return same >= max(_ALIKE, min(len(word), len(other)) - 1)


def _nearest(question: Question, names: Sequence[str], embed: Embeds) -> str:
    asked, *others = embed([question.text, *names])
    return names[int(np.argmax(np.stack(others) @ asked))]
