"""What each leg of retrieval is worth, on SQuAD-format files in several languages.

    python -m eval.studies.ablation XQUAD_FOLDER [--languages en,hi,vi,sv] [--questions 200]

Two tables. *Pairs*: questions in one language, all articles in another; passage recall@1/@5 and answer-sentence
accuracy@1/@3 as legs are switched on, and with the reader that the settings name. *Pool*: every article once, in a
language drawn by lot, so that the one document that knows is mostly in another language than the question, with its
sentence and short answer; with and without the correction of vectors for their language.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from eval.metrics import exact_match
from eval.public import (
    index_folder,
    locate_all,
    open_corpus,
    sentences_at,
    write_texts,
)
from eval.records import Place
from eval.squad import Case, SquadFile, join, read_squad
from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.settings import IndexSettings
from rag.answer import Hit
from rag.assistant import load_reader
from rag.evidence import Evidence, gather
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.question import Question, analyse
from rag.reader.passages import Reads
from rag.settings import RagSettings
from rag.short_answer import short_answer

SEED = 7
LEGS: Mapping[str, Mapping[str, bool]] = {
    "dense chunks": {"sentences": False, "lexical": False},
    "+ sentences": {"lexical": False},
    "+ words and names": {"sentences": False},
    "all legs": {},
}
_POOLED = ("passage@1", "passage@5", "sentence@1", "short exact", "first hit in the question's language")
Files = Mapping[str, SquadFile]
# Each row of results: what was counted -> 0 or 1 for each question.
Counts = dict[str, list[bool]]


def pair_counts(
    corpus: Corpus,
    embedder: Embedder,
    questions: Sequence[tuple[Question, Place]],
    reader: Reads | None = None,
) -> dict[str, Counts]:
    """Counts of every variant over the questions of one pair of languages."""
    results: dict[str, Counts] = {}
    retrievers = {name: CorpusRetriever(top_k=5, **legs) for name, legs in LEGS.items()}
    vectors = embedder.embed_queries([question.text for question, _ in questions])
    for (question, gold), vector in zip(questions, vectors, strict=True):
        query = Query.of(question, corpus, embedder, vector=vector)
        for name, retriever in retrievers.items():
            hits = retriever.hits(query)
            _count_passages(results.setdefault(name, {}), hits, gold)
            if name in {"dense chunks", "all legs"}:
                _count_sentences(results[name], gather(query, hits), corpus, gold)
            if name == "all legs" and reader is not None:
                read = results.setdefault("all legs, read", {})
                _count_sentences(read, gather(query, hits, reader=reader), corpus, gold)
    return results


def _count_passages(counts: Counts, hits: Sequence[Hit], gold: Place) -> None:
    right = [gold.meets(hit.chunk.document_id, hit.chunk.start, hit.chunk.end) for hit in hits]
    counts.setdefault("passage@1", []).append(any(right[:1]))
    counts.setdefault("passage@5", []).append(any(right[:5]))


def _count_sentences(counts: Counts, evidence: Evidence, corpus: Corpus, gold: Place) -> None:
    answers = sentences_at(corpus.sentences_of(gold.document_id), gold)
    right = [support.sentence.id in answers for support in evidence.supports]
    counts.setdefault("sentence@1", []).append(any(right[:1]))
    counts.setdefault("sentence@3", []).append(any(right[:3]))


def pairs(
    files: Files,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    *,
    limit: int,
    reader: Reads | None = None,
) -> Iterator[tuple[str, str, dict[str, Counts]]]:
    """(question language, document language, counts) for every pair."""
    for language, file in files.items():
        folder, index = work / language, work / f"{language}.index"
        write_texts(folder, {f"{i:02d}": article.text for i, article in enumerate(file.articles)})
        index_folder(folder, index, embedder, settings)
        with open_corpus(index, embedder, settings) as corpus:
            located = locate_all(
                corpus, file.articles, file.cases.values(), lambda case: f"{case.article:02d}"
            )
            for asked_in, questions in files.items():
                joined = [case for case in join(file.cases, questions.cases) if case.id in located]
                chosen = random.Random(SEED).sample(joined, min(limit, len(joined)))  # noqa: S311
                asked = [(analyse(case.question, language=asked_in), located[case.id]) for case in chosen]
                yield asked_in, language, pair_counts(corpus, embedder, asked, reader)


def pool(
    files: Files,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    *,
    limit: int,
    correction: float,
    reader: Reads | None = None,
) -> dict[str, Counts]:
    """Counts over one index that holds every article in one language; keys "same" and "cross"."""
    rng = random.Random(SEED)  # noqa: S311
    languages = sorted(files)
    articles = len(next(iter(files.values())).articles)
    chosen = {i: rng.choice(languages) for i in range(articles)}
    own = settings.model_copy(update={"language_correction": correction})
    folder, index = work / "pool", work / f"pool-{correction}.index"
    write_texts(
        folder, {f"{language}-{i:02d}": files[language].articles[i].text for i, language in chosen.items()}
    )
    index_folder(folder, index, embedder, own)
    results: dict[str, Counts] = {}
    with open_corpus(index, embedder, own) as corpus:
        retriever = CorpusRetriever(top_k=5)
        golds: dict[str, Place] = {}
        for language in languages:
            here = [case for case in files[language].cases.values() if chosen[case.article] == language]
            golds |= locate_all(corpus, files[language].articles, here, partial(_pool_name, language))
        for asked_in in languages:
            cases = [case for case in files[asked_in].cases.values() if case.id in golds]
            for case in rng.sample(cases, min(limit, len(cases))):
                question, gold = analyse(case.question, language=asked_in), golds[case.id]
                query = Query.of(question, corpus, embedder)
                hits = retriever.hits(query)
                kind = "same" if chosen[case.article] == asked_in else "cross"
                counts = results.setdefault(kind, {})
                _count_passages(counts, hits, gold)
                evidence = gather(query, hits, reader=reader)
                _count_sentences(counts, evidence, corpus, gold)
                expected = files[chosen[case.article]].cases[case.id].answers
                short = short_answer(evidence)
                said = "" if short is None else short.text
                counts.setdefault("short exact", []).append(bool(exact_match(said, expected, gold.language)))
                counts.setdefault("first hit in the question's language", []).append(
                    bool(hits) and hits[0].chunk.language == asked_in
                )
    return results


def _pool_name(language: str, case: Case) -> str:
    return f"{language}-{case.article:02d}"


def _mean(counts: Counts, metric: str) -> str:
    values = counts.get(metric)
    return f"{sum(values) / len(values):.3f}" if values else "-"


def _print_pairs(rows: Sequence[tuple[str, str, dict[str, Counts]]]) -> None:
    variants = list(dict.fromkeys(name for _, _, results in rows for name in results))
    groups: dict[str, dict[str, Counts]] = {"same language": {}, "across languages": {}}
    for asked_in, language, results in rows:
        group = groups["same language" if asked_in == language else "across languages"]
        for name, counts in results.items():
            for metric, values in counts.items():
                group.setdefault(name, {}).setdefault(metric, []).extend(values)
    metrics = ("passage@1", "passage@5", "sentence@1", "sentence@3")
    click.echo("| | variant | " + " | ".join(metrics) + " |\n|---|---|" + "---|" * len(metrics))
    for group_name, results in groups.items():
        for name in variants:
            cells = " | ".join(_mean(results.get(name, {}), metric) for metric in metrics)
            click.echo(f"| {group_name} | {name} | {cells} |")
    click.echo("\nEvery pair, question -> document:\n")
    click.echo(
        "| pair | questions | dense p@1 / p@5 | all p@1 / p@5 | dense s@1 / s@3 | all s@1 / s@3 |\n"
        + "|---" * 6
        + "|"
    )
    for asked_in, language, results in rows:
        dense, full = results["dense chunks"], results["all legs"]
        figures = [
            f"{_mean(counts, f'{metric}@{low}')} / {_mean(counts, f'{metric}@{high}')}"
            for metric, low, high in (("passage", 1, 5), ("sentence", 1, 3))
            for counts in (dense, full)
        ]
        click.echo(f"| {asked_in} -> {language} | {len(full['passage@1'])} | " + " | ".join(figures) + " |")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--languages", default="en,hi,vi,sv", show_default=True)
@click.option("--questions", default=150, show_default=True, help="Questions for each pair of languages.")
@click.option("--pool/--no-pool", "with_pool", default=True, show_default=True, help="Measure the pool too.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="Keep the indexes here; default: a temporary folder."
)
def main(folder: Path, languages: str, questions: int, with_pool: bool, work: Path | None) -> None:
    """Measure every leg on the xquad.LL.json files of FOLDER."""
    files = {language: read_squad(folder / f"xquad.{language}.json") for language in languages.split(",")}
    with tempfile.TemporaryDirectory() as temporary:
        root = work or Path(temporary)
        settings = IndexSettings(data_dir=root)
        embedder = load_embedder(settings)
        reader = load_reader(RagSettings(index=settings))
        rows = []
        for row in pairs(files, root, embedder, settings, limit=questions, reader=reader):
            rows.append(row)
            click.echo(f"{row[0]} -> {row[1]} done", err=True)
        _print_pairs(rows)
        if not with_pool:
            return
        click.echo(
            "\n| pool of all languages | question | "
            + " | ".join(_POOLED)
            + " |\n"
            + "|---" * (2 + len(_POOLED))
            + "|"
        )
        for correction in (0.0, 0.4, settings.language_correction, 1.0):
            results = pool(
                files, root, embedder, settings, limit=questions, correction=correction, reader=reader
            )
            for kind, counts in sorted(results.items()):
                cells = " | ".join(_mean(counts, metric) for metric in _POOLED)
                click.echo(f"| correction {correction} | {kind} | {cells} |")


if __name__ == "__main__":
    sys.exit(main())
