"""Whether what messages want is told, on wordings that nothing was learnt from and on public questions.

    python -m eval.studies.intents [DATA] [--work FOLDER] [--wrong] [--without-vectors]

Wordings are those of `eval/gold/intents`; DATA, a folder like ../shared/data, has the public questions, none of which
was learnt from and each of which is a question to the documents. Two tables: the share of wordings whose intent is told
right, by language, with the share whose kind is right and whose language the reply would be in; and of each public
set the questions that are taken for anything else.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from eval.learning.intent_texts import HELD_OUT, Wording, to_measure, vectors, wordings
from index.embedder import Embedder, load_embedder
from index.language.detection import detect
from index.settings import IndexSettings
from rag.intent import QUESTION, Intents, Sense


class Kept:
    """An embedder's vectors of questions, kept in a folder; `revision` "" stands for an embedder nobody knows."""

    def __init__(self, embedder: Embedder, folder: Path, texts: Sequence[str], *, known: bool) -> None:
        self.revision = embedder.revision if known else ""
        self._embedder = embedder
        self._vectors = dict(zip(texts, vectors(texts, embedder, folder), strict=True)) if known else {}

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed_queries`."""
        if all(text in self._vectors for text in texts):
            return np.stack([self._vectors[text] for text in texts])
        return self._embedder.embed_queries(texts)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: how many texts there are and which shares of them are right."""

    name: str
    texts: int
    shares: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.name:28}{self.texts:7}" + "".join(f"{share:10.3f}" for share in self.shares)


def told(texts: Sequence[Wording], sense: Callable[[str], Sense]) -> tuple[list[Line], list[str]]:
    """The table of wordings by language, and what is wrong."""
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    wrong = []
    for wording in texts:
        said = sense(wording.text)
        right = said.intent == wording.kind.partition(".")[0]
        spoken = float((said.language or detect(wording.text)) == wording.language)
        spoken = spoken if wording.kind not in {QUESTION, "unclear.unclear"} else np.nan
        row = (float(right), float(said.kind == wording.kind), spoken)
        for name in (wording.language, f"  {wording.kind.partition('.')[0]}", "all"):
            found[name].append(row)
        if not right:
            wrong.append(
                f"{wording.language} {wording.kind} -> {said.kind} ({said.sure:.2f}): {wording.text}"
            )
    lines = [
        Line(name, len(rows), _means(rows)) for name, rows in sorted(found.items(), key=lambda item: item[0])
    ]
    return lines, wrong


def taken(texts: Iterable[tuple[str, str]], sense: Callable[[str], Sense]) -> tuple[list[Line], list[str]]:
    """The table of public questions by set, the share taken for something else, and which these are."""
    found: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    wrong = []
    for name, text in texts:
        said = sense(text)
        for each in (name, "all"):
            found[each].append((float(said.kind != QUESTION),))
        if said.kind != QUESTION:
            wrong.append(f"{name} -> {said.kind} ({said.sure:.2f}): {text}")
    return [Line(name, len(rows), _means(rows)) for name, rows in sorted(found.items())], wrong


def _means(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    columns = [[value for value in column if not np.isnan(value)] for column in zip(*rows, strict=True)]
    return tuple(sum(column) / len(column) if column else float("nan") for column in columns)


@click.command(help=__doc__)
@click.argument("data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--work", default="build", type=click.Path(path_type=Path), help="Keeps the vectors.")
@click.option("--wrong", is_flag=True, help="List what is wrong.")
@click.option("--without-vectors", is_flag=True, help="As beside another model than the bundled one.")
def main(data: Path | None, work: Path, wrong: bool, without_vectors: bool) -> None:
    """Measure and print the tables."""
    held_out = wordings(HELD_OUT)
    public = to_measure(data) if data is not None else []
    texts = [wording.text for wording in held_out] + [question.text for question in public]
    kept: Any = Kept(load_embedder(IndexSettings()), work, texts, known=not without_vectors)
    intents = Intents(kept)
    lines, faults = told(held_out, intents.of)
    click.echo(f"{'wordings':28}{'texts':>7}{'intent':>10}{'kind':>10}{'language':>10}")
    click.echo("\n".join(map(str, lines)))
    if public:
        others, mistaken = taken(((f"{q.source} {q.language}", q.text) for q in public), intents.of)
        click.echo(f"\n{'public questions':28}{'texts':>7}{'taken':>10}")
        click.echo("\n".join(map(str, others)))
        faults += mistaken
    if wrong:
        click.echo("\n" + "\n".join(faults))


if __name__ == "__main__":
    sys.exit(main())
