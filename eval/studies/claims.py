"""Planted claims and yes/no questions, in five languages, against made-up texts: what passes, and what is answered.

    python -m eval.studies.claims [--wrong] [--questions]

`eval/gold/claims` holds them. Each claim is checked as one of a language model's answer that cites its text: the table
shows the share that is called supported, by kind and by the languages of claim and text; false claims should not be,
true ones should. Each question is answered from its text alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from index.embedder import Embedder, load_embedder
from index.language.sentences import split_sentences
from index.settings import IndexSettings
from index.types import Chunk, Document
from rag.answer import CheckedClaim, Hit
from rag.assistant import load_judge
from rag.question import analyse
from rag.reader.passages import Judges
from rag.settings import RagSettings
from rag.settling import settled
from rag.verification.passage import Passage
from rag.verification.support import sources_of
from rag.verification.verify import verify

FOLDER = Path("eval") / "gold" / "claims"
Row = Mapping[str, Any]


def read(name: str) -> list[Row]:
    """The rows of one file of the set."""
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def passage_of(row: Row) -> Passage:
    """A text of the set as a passage that can be cited."""
    language, text = row["language"], row["text"]
    sentences = tuple(split_sentences(Document(row["id"], "", "", language, None, text, "text/plain")))
    chunk = Chunk(row["id"], row["id"], 0, 0, len(text), text, language, 0, len(sentences) - 1)
    hit = Hit(chunk, row["title"], None, language, score=0.0, dense=0.0, sentence=0.0, lexical=0.0)
    return Passage(1, hit, 0, len(text), text, sentences)


def shares(rows: Iterable[tuple[str, bool]]) -> list[tuple[str, int, float]]:
    """By key: how many rows, and the share that is True; sorted by key."""
    found: dict[str, list[bool]] = {}
    for key, held in rows:
        found.setdefault(key, []).append(held)
    return [(key, len(each), sum(each) / len(each)) for key, each in sorted(found.items())]


def table(title: str, rows: Iterable[tuple[str, bool]]) -> str:
    """The shares as Markdown."""
    lines = [f"| {title} | claims | share |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {key} | {count} | {share:.2f} |" for key, count, share in shares(rows))])


@click.command()
@click.option("--wrong", is_flag=True, help="Show what passes and should not, and the other way round.")
@click.option("--questions", is_flag=True, help="Answer the yes/no questions too.")
def main(wrong: bool, questions: bool) -> None:
    """Check the planted claims."""
    judge, embedder = load_judge(RagSettings()), load_embedder(IndexSettings())
    texts = {row["id"]: passage_of(row) for row in read("passages")}
    claims = read("claims")
    began = time.perf_counter()
    found: list[tuple[Row, CheckedClaim | None]] = []
    for row in claims:
        asked = analyse("?", language=row["language"])
        checked = verify(
            f"{row['claim']} [1]",
            [1],
            [texts[row["passage"]]],
            question=asked,
            embedder=embedder,
            judge=judge,
        )
        # Of several sentences the worst counts.
        order = {"contradicted": 0, "unsupported": 1, "supported": 2}
        found.append((row, min(checked.claims, key=lambda claim: order[claim.verdict], default=None)))
    took = (time.perf_counter() - began) / len(claims)
    passes = [(row, claim is not None and claim.verdict == "supported") for row, claim in found]
    click.echo(table("kind", ((row["kind"], passed) for row, passed in passes)))
    pair: Callable[[Row], str] = lambda row: f"{row['language']} → {texts[row['passage']].hit.chunk.language}"  # noqa: E731
    for label, true in (("true claims", True), ("false claims", False)):
        rows = [(pair(row), passed) for row, passed in passes if (row["verdict"] == "supported") == true]
        click.echo("\n" + table(label, [*rows, *(("all", passed) for _, passed in rows)]))
    struck = [(row["verdict"], claim is not None and claim.verdict == "contradicted") for row, claim in found]
    click.echo("\n" + table("struck, of what is", struck))
    click.echo(f"\n{took * 1000:.0f} ms a claim")
    if wrong:
        for (row, claim), (_, passed) in zip(found, passes, strict=True):
            if passed != (row["verdict"] == "supported") and claim is not None:
                click.echo(
                    f"{row['id']} {row['kind']} {claim.verdict} {claim.score} {claim.missing} {row['claim']}"
                )
    if questions and judge is not None:
        click.echo("\n" + _answered(read("questions"), texts, judge, embedder, wrong=wrong))


def _answered(
    rows: Sequence[Row], texts: Mapping[str, Passage], judge: Judges, embedder: Embedder, *, wrong: bool
) -> str:
    """What is said to the questions, of the sentences of their texts nearest to each."""
    sources = {source.passage.hit.chunk.id: source for source in sources_of(list(texts.values()), embedder)}
    vectors = embedder.embed_queries([row["question"] for row in rows])
    said = []
    for row, vector in zip(rows, vectors, strict=True):
        source = sources[row["passage"]]
        order = (-(source.vectors @ vector)).argsort()
        nearest = [(source.sentences[place], source.passage.hit) for place in order]
        found = settled(row["question"], nearest, {row["passage"]: source.sentences}, judge)
        says = "nothing" if found is None else found.says
        said.append((f"{row['answer']}: {says}", True))
        if wrong and says not in {row["answer"], "nothing"}:
            click.echo(f"{row['id']} {row['answer']} {says} {row['question']}")
    counts = [f"| {key} | {count} |" for key, count, _ in shares(said)]
    return "\n".join(["| right answer: what is said | questions |", "|---|---|", *counts])


if __name__ == "__main__":
    sys.exit(main())
