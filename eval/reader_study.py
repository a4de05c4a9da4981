"""What the reader is worth, on articles that it did not learn from.

    python -m eval.reader_study DATA [--languages en,hi,vi,sv] [--questions 60] [--only answered] [--work FOLDER]

*Spans*: the question in one language and the paragraph that answers it in another; F1 and exact match of the words
that the reader points at (MLQA's, `eval.metrics`). *Sentences*: the question in one language, all articles in another;
how often the first sentence, and one of the first three, holds the answer, and how often the first passage does,
without the reader and with it, on the same questions; and milliseconds a question for either. *Answered*: how well
questions with an answer are told from others, and how well calibrated that is (`eval.reader_answered`).
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np

from eval import metrics, reader_answered
from eval.ablation import locate_all
from eval.records import Place
from eval.refusal_examples import Work, collect
from eval.refusal_questions import Unseen, off_topic_parts, parts_of
from eval.squad import SEPARATOR, Case, SquadFile, join, read_squad
from index.corpus import Corpus
from rag.evidence import Evidence, gather
from rag.question import analyse
from rag.reader.openvino_reader import Reader
from rag.retriever import CorpusRetriever

SEED = 11
_TABLES = ("spans", "sentences", "answered")
_FOUND = ("sentence@1", "sentence@3", "passage@1")
Files = Mapping[str, SquadFile]


@dataclass(frozen=True, slots=True)
class Spans:
    """Means over the questions of a pair of languages."""

    asked: str
    read: str
    questions: int
    f1: float
    exact: float


@dataclass(frozen=True, slots=True)
class Sentences:
    """Means over the questions of a pair of languages, without the reader and with it."""

    asked: str
    read: str
    questions: int
    without: Mapping[str, float]
    with_it: Mapping[str, float]
    ms_without: float
    ms_with: float


def chosen(files: Files, unseen: Unseen, *, asked: str, read: str, limit: int) -> list[Case]:
    """The unseen questions of a pair, at most `limit`, always the same ones."""
    joined = [case for case in join(files[read].cases, files[asked].cases) if unseen.has(case)]
    return random.Random(SEED).sample(joined, min(limit, len(joined)))  # noqa: S311


def spans(files: Files, reader: Reader, unseen: Unseen, *, limit: int) -> Iterator[Spans]:
    """How well the reader points at the answer within its paragraph."""
    for asked in files:
        for read, file in files.items():
            f1, exact = [], []
            for case in chosen(files, unseen, asked=asked, read=read, limit=limit):
                text = _paragraph(file, case)
                (reading,) = reader.read(case.question, [text])
                said = text[reading.best.start : reading.best.end] if reading.best else ""
                f1.append(metrics.f1(said, case.answers, read))
                exact.append(metrics.exact_match(said, case.answers, read))
            if f1:
                yield Spans(asked, read, len(f1), float(np.mean(f1)), float(np.mean(exact)))


def _paragraph(file: SquadFile, case: Case) -> str:
    text = file.articles[case.article].text
    start = text.rfind(SEPARATOR, 0, case.start)
    return text[0 if start < 0 else start + len(SEPARATOR) :].split(SEPARATOR, 1)[0]


def sentences(files: Files, work: Work, *, limit: int) -> Iterator[Sentences]:
    """How well the answering sentence is found among all articles of a language."""
    for read, file in files.items():
        texts = {f"{i:02d}": article.text for i, article in enumerate(file.articles)}
        with work.corpus(read, texts) as corpus:
            located = locate_all(
                corpus, file.articles, file.cases.values(), lambda case: f"{case.article:02d}"
            )
            for asked in files:
                cases = chosen(files, work.unseen, asked=asked, read=read, limit=limit)
                pairs = [(case, located[case.id]) for case in cases if case.id in located]
                if pairs:
                    yield _measured(asked, read, pairs, corpus, work)


def _measured(
    asked: str, read: str, pairs: Sequence[tuple[Case, Place]], corpus: Corpus, work: Work
) -> Sentences:
    retriever = CorpusRetriever(corpus, work.embedder, top_k=15)
    rows: dict[bool, list[list[bool]]] = {False: [], True: []}
    seconds = {False: 0.0, True: 0.0}
    for case, place in pairs:
        for reads in (False, True):
            started = time.perf_counter()
            question = analyse(case.question)
            hits = retriever.hits(question)
            evidence = gather(question, hits, corpus, work.embedder, reader=work.reader if reads else None)
            seconds[reads] += time.perf_counter() - started
            rows[reads].append(_found(evidence, place))
    means = {
        reads: dict(zip(_FOUND, np.mean(found, axis=0).tolist(), strict=True))
        for reads, found in rows.items()
    }
    ms = {reads: 1000 * total / len(pairs) for reads, total in seconds.items()}
    return Sentences(asked, read, len(pairs), means[False], means[True], ms[False], ms[True])


def _found(evidence: Evidence, place: Place) -> list[bool]:
    right = [
        place.meets(support.sentence.document_id, support.sentence.start, support.sentence.end)
        for support in evidence.supports[:3]
    ]
    passage = evidence.supports[0].hit.chunk if evidence.supports else None
    return [
        any(right[:1]),
        any(right),
        passage is not None and place.meets(passage.document_id, passage.start, passage.end),
    ]


def _print_spans(rows: Sequence[Spans]) -> None:
    click.echo("| question -> paragraph | questions | F1 | exact |\n|---|---|---|---|")
    for row in rows:
        click.echo(f"| {row.asked} -> {row.read} | {row.questions} | {row.f1:.3f} | {row.exact:.3f} |")


def _print_sentences(rows: Sequence[Sentences]) -> None:
    heads = " | ".join(f"{name} without | with" for name in _FOUND)
    click.echo(
        f"\n| question -> articles | questions | {heads} | ms without | with |" + "\n" + "|---" * 10 + "|"
    )
    for row in rows:
        cells = " | ".join(f"{row.without[name]:.3f} | {row.with_it[name]:.3f}" for name in _FOUND)
        times = f"{row.ms_without:.0f} | {row.ms_with:.0f}"
        click.echo(f"| {row.asked} -> {row.read} | {row.questions} | {cells} | {times} |")
    for label, same in (("same language", True), ("across languages", False)):
        group = [row for row in rows if (row.asked == row.read) is same]
        if not group:
            continue
        cells = " | ".join(
            f"{np.mean([row.without[name] for row in group]):.3f} | {np.mean([row.with_it[name] for row in group]):.3f}"
            for name in _FOUND
        )
        without, with_it = (
            np.mean(ms) for ms in zip(*((r.ms_without, r.ms_with) for r in group), strict=True)
        )
        times = f"{without:.0f} | {with_it:.0f}"
        click.echo(f"| mean, {label} | {sum(row.questions for row in group)} | {cells} | {times} |")


def _answered(data: Path, kit: Work, *, per_pair: int, limit: int) -> None:
    parts = parts_of(data, kit.unseen, per_pair=per_pair, limit=limit)
    parts += off_topic_parts([part for part in parts if part.name.startswith("xquad-")])
    examples = collect(parts, kit, tell=partial(click.echo, err=True))
    reader_answered.show(list(reader_answered.rows(examples)), click.echo)


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--languages", default="en,hi,vi,sv", show_default=True, help="Of spans and sentences.")
@click.option("--questions", default=60, show_default=True, help="Questions for each pair of languages.")
@click.option(
    "--per-pair", default=20, show_default=True, help="The same for what is answered, asked five times each."
)
@click.option(
    "--limit", default=60, show_default=True, help="Questions of each other file for what is answered."
)
@click.option("--only", type=click.Choice(_TABLES), multiple=True, help="Only these tables; default: all.")
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    help="Keep the indexes and what was asked for what is answered, to go on after a stop; default: a temporary "
    "folder. Remove it when the code has changed.",
)
def main(  # noqa: PLR0917 - the command's options
    data: Path,
    languages: str,
    questions: int,
    per_pair: int,
    limit: int,
    only: tuple[str, ...],
    work: Path | None,
) -> None:
    """Measure the reader on DATA: xquad-dev, and for what is answered also squad2-sv-dev and nomiracl."""
    files = {
        language: read_squad(data / "xquad-dev" / f"xquad.{language}.json")
        for language in languages.split(",")
    }
    chosen_tables = only or _TABLES
    with tempfile.TemporaryDirectory() as temporary:
        kit = Work.load(work or Path(temporary), data)
        if kit.reader is None:
            raise click.ClickException("there is no reader to study: name its file in RAG_READER_MODEL")
        if "spans" in chosen_tables:
            _print_spans(list(spans(files, kit.reader, kit.unseen, limit=questions)))
        if "sentences" in chosen_tables:
            _print_sentences(list(sentences(files, kit, limit=questions)))
        if "answered" in chosen_tables:
            _answered(data, kit, per_pair=per_pair, limit=limit)


if __name__ == "__main__":
    sys.exit(main())
