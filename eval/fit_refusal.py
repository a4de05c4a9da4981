"""Fits the model of `rag.refusal` on public data and measures it by cross-validation.

    python -m eval.fit_refusal DATA [--write]

DATA holds `xquad-dev/`, `squad2-sv-dev/` and `nomiracl/`. Answerable: XQuAD questions in one language over the articles
of another, and NoMIRACL questions with a relevant passage. Not answerable: the same XQuAD questions with
their article hidden, or with their name replaced by one of another article's questions; the impossible questions
of SQuAD 2.0 in Swedish; NoMIRACL questions without a relevant passage. Folds are by article and question.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import click
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from eval.nomiracl import passage_texts, read_nomiracl
from eval.public import documents_by_name, index_folder, open_corpus, write_texts
from eval.squad import Case, join, read_squad
from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.settings import IndexSettings
from rag.evidence import Features, gather
from rag.question import analyse
from rag.refusal import MODEL_FILE
from rag.retriever import CorpusRetriever

LANGUAGES = ("en", "hi", "vi", "sv")
SEED = 20
_FEATURES = tuple(field.name for field in fields(Features))


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its features: `stratum` says where it comes from, `fold` what it must not be split from."""

    stratum: str
    fold: str
    answered: bool
    features: Features


class Collector:
    """Asks questions of one corpus and keeps what the refusal sees."""

    def __init__(self, corpus: Corpus, embedder: Embedder) -> None:
        self._corpus = corpus
        self._embedder = embedder
        self._retriever = CorpusRetriever(corpus, embedder, top_k=15)

    def example(
        self, text: str, *, stratum: str, fold: str, answered: bool, documents: Sequence[str] | None = None
    ) -> Example | None:
        """The features of a question, None when nothing at all was found."""
        question = analyse(text)
        hits = self._retriever.hits(question, documents=documents)
        features = gather(question, hits, self._corpus, self._embedder).features
        return None if features is None else Example(stratum, fold, answered, features)


def xquad_examples(
    data: Path, work: Path, embedder: Embedder, settings: IndexSettings, *, per_pair: int
) -> Iterator[Example | None]:
    """Answerable, hidden-article and swapped-name questions over every pair of languages."""
    files = {language: read_squad(data / f"xquad.{language}.json") for language in LANGUAGES}
    rng = random.Random(SEED)  # noqa: S311
    for language, file in files.items():
        folder, index = work / f"xquad-{language}", work / f"xquad-{language}.index"
        write_texts(folder, {f"{i:02d}": article.text for i, article in enumerate(file.articles)})
        index_folder(folder, index, embedder, settings)
        with open_corpus(index, embedder, settings) as corpus:
            collector = Collector(corpus, embedder)
            names = documents_by_name(corpus)
            for asked_in, questions in files.items():
                joined = join(file.cases, questions.cases)
                for case in rng.sample(joined, min(per_pair, len(joined))):
                    pair, fold = f"{asked_in}->{language}", f"article {case.article}"
                    others = [id_ for name, id_ in names.items() if name != f"{case.article:02d}"]
                    yield collector.example(case.question, stratum=f"xquad {pair}", fold=fold, answered=True)
                    yield collector.example(
                        case.question, stratum="article hidden", fold=fold, answered=False, documents=others
                    )
                    swapped = _swap_name(case, joined, rng)
                    if swapped:
                        yield collector.example(swapped, stratum="name swapped", fold=fold, answered=False)


def _swap_name(case: Case, cases: Sequence[Case], rng: random.Random) -> str | None:
    """The question with its longest name replaced by one of another article's, None when it has no name."""
    own = analyse(case.question)
    if not own.names:
        return None
    name = max((" ".join(words) for words in own.names), key=len)
    for _ in range(50):
        other = rng.choice(cases)
        found = analyse(other.question).names
        if other.article != case.article and found:
            replacement = " ".join(rng.choice(found))
            if replacement.casefold() not in case.question.casefold() and name in case.question:
                return case.question.replace(name, replacement)
    return None


def squad2_examples(
    path: Path, work: Path, embedder: Embedder, settings: IndexSettings, *, limit: int
) -> Iterator[Example | None]:
    """Impossible and possible questions of SQuAD 2.0 in Swedish over all its paragraphs."""
    file = read_squad(path)
    folder, index = work / "squad2", work / "squad2.index"
    write_texts(folder, {f"{i:02d}": article.text for i, article in enumerate(file.articles) if article.text})
    index_folder(folder, index, embedder, settings)
    rng = random.Random(SEED)  # noqa: S311
    with open_corpus(index, embedder, settings) as corpus:
        collector = Collector(corpus, embedder)
        for answered, cases in ((True, file.cases), (False, file.unanswerable)):
            for case in rng.sample(list(cases.values()), min(limit, len(cases))):
                fold = f"squad2 article {case.article}"
                yield collector.example(case.question, stratum="squad2-sv", fold=fold, answered=answered)


def nomiracl_examples(
    folder: Path, work: Path, embedder: Embedder, settings: IndexSettings, *, limit: int
) -> Iterator[Example | None]:
    """Questions over their own ten passages."""
    for language in ("en", "hi"):
        cases = [
            case
            for kind in ("relevant", "non_relevant")
            for case in read_nomiracl(folder / f"{kind}.{language}.jsonl")[:limit]
        ]
        texts = {name: text for case in cases for name, text in passage_texts(case).items()}
        source, index = work / f"nomiracl-{language}", work / f"nomiracl-{language}.index"
        write_texts(source, texts)
        index_folder(source, index, embedder, settings)
        with open_corpus(index, embedder, settings) as corpus:
            collector = Collector(corpus, embedder)
            by_name = documents_by_name(corpus)
            for case in cases:
                own = [by_name[name] for name in passage_texts(case) if name in by_name]
                if own:
                    yield collector.example(
                        case.question,
                        stratum=f"nomiracl {language}",
                        fold=f"nomiracl {case.id}",
                        answered=case.answerable,
                        documents=own,
                    )


def fit(examples: Sequence[Example]) -> tuple[dict[str, object], dict[str, float]]:
    """The model on all examples, and the AUROC of each stratum from models that did not see its fold.

    Negatives that are no stratum of their own are set against the answerable questions of XQuAD.
    """
    table = np.array([[getattr(e.features, name) for name in _FEATURES] for e in examples])
    truth = np.array([e.answered for e in examples])
    weights = _weights(examples)
    folds = np.array([int(hashlib.sha256(e.fold.encode()).hexdigest(), 16) % 5 for e in examples])
    predicted = np.zeros(len(examples))
    for fold in range(5):
        seen = folds != fold
        scaler, model = _train(table[seen], truth[seen], weights[seen])
        predicted[~seen] = model.predict_proba(scaler.transform(table[~seen]))[:, 1]
    scaler, model = _train(table, truth, weights)
    slopes = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - slopes @ scaler.mean_)
    strata = np.array([e.stratum for e in examples])
    is_xquad = np.char.startswith(strata, "xquad ")
    scores: dict[str, float] = {"all": float(roc_auc_score(truth, predicted, sample_weight=weights))}
    for stratum in sorted(set(strata[~is_xquad])):
        rows = (
            (strata == stratum) if len(set(truth[strata == stratum])) == 2 else (strata == stratum) | is_xquad
        )
        scores[stratum] = float(roc_auc_score(truth[rows], predicted[rows]))
    hidden = strata == "article hidden"
    for stratum in sorted(set(strata[is_xquad])):
        rows = (strata == stratum) | hidden
        scores[stratum] = float(roc_auc_score(truth[rows], predicted[rows]))
    for name, rows in (("answerable", truth), ("unanswerable", ~truth)):
        scores[f"refused of {name}"] = float((predicted[rows] < 0.5).mean())
    for stratum in ("article hidden", "name swapped"):
        scores[f"refused of {stratum}"] = float((predicted[strata == stratum] < 0.5).mean())
    scores["refused of xquad"] = float((predicted[is_xquad] < 0.5).mean())
    values = {name: round(float(w), 4) for name, w in zip(_FEATURES, slopes, strict=True)}
    return {"intercept": round(intercept, 4), "weights": values}, scores


def _train(
    table: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> tuple[StandardScaler, LogisticRegression]:
    scaler = StandardScaler().fit(table)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(scaler.transform(table), truth, sample_weight=weights)
    return scaler, model


def _weights(examples: Sequence[Example]) -> np.ndarray:
    """Answered and not answered weigh the same in all, and so do the sources within each."""
    sources = [(e.answered, e.stratum.split()[0]) for e in examples]
    counts = {source: sources.count(source) for source in set(sources)}
    kinds = {True: 0, False: 0}
    for answered, _ in counts:
        kinds[answered] += 1
    return np.array([len(examples) / 2 / kinds[s[0]] / counts[s] for s in sources])


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-pair", default=40, show_default=True, help="XQuAD questions for each pair of languages.")
@click.option("--limit", default=120, show_default=True, help="Questions of each other file.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="Keep the indexes here; default: a temporary folder."
)
@click.option("--write", is_flag=True, help="Write the model beside rag/refusal.py.")
def main(data: Path, per_pair: int, limit: int, work: Path | None, write: bool) -> None:
    """Fit the refusal on DATA and print how it separates each kind of question."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = work or Path(temporary)
        settings = IndexSettings(data_dir=folder)
        embedder = load_embedder(settings)
        found: list[Example | None] = []
        for source in (
            xquad_examples(data / "xquad-dev", folder, embedder, settings, per_pair=per_pair),
            squad2_examples(
                data / "squad2-sv-dev" / "squad2.sv.json", folder, embedder, settings, limit=limit * 2
            ),
            nomiracl_examples(data / "nomiracl", folder, embedder, settings, limit=limit),
        ):
            for number, example in enumerate(source, start=1):
                found.append(example)
                if number % 200 == 0:
                    click.echo(f"{len(found):,} questions asked", err=True)
    examples = [example for example in found if example is not None]
    model, scores = fit(examples)
    click.echo(f"{len(examples):,} questions\n")
    for name, score in scores.items():
        click.echo(f"{name:32s} {score:.3f}")
    click.echo(json.dumps(model, indent=1))
    if work:
        rows = [
            {**asdict(e.features), "stratum": e.stratum, "fold": e.fold, "answered": e.answered}
            for e in examples
        ]
        (work / "examples.json").write_text(json.dumps(rows), encoding="utf-8")
    if write:
        recipe = f"python -m eval.fit_refusal DATA --per-pair {per_pair} --limit {limit} --write; seed {SEED}"
        MODEL_FILE.write_text(
            json.dumps({"recipe": recipe, "embedder": embedder.name, **model}, indent=2) + "\n",
            encoding="utf-8",
        )


if __name__ == "__main__":
    sys.exit(main())
