"""Fits the model of `rag.refusal` on public data and measures it by cross-validation.

    python -m eval.fit_refusal DATA [--write]

DATA holds `xquad-dev/`, `squad2-sv-dev/` and `nomiracl/`. Answerable: XQuAD questions in one language over the articles
of another, and NoMIRACL questions with a relevant passage. Not answerable: the same XQuAD questions with their article
hidden, or with their name replaced by one of another article's questions; the impossible questions of SQuAD 2.0 in
Swedish; NoMIRACL questions without a relevant passage. Folds are by article and question. A reader has learnt from the
same data: with one, only the articles and questions that it did not see are used.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path

import click
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from eval.nomiracl import passage_texts, read_nomiracl
from eval.public import documents_by_name, index_folder, open_corpus, write_texts
from eval.squad import Case, SquadFile, join, read_squad
from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.settings import IndexSettings
from rag.assistant import load_reader
from rag.evidence import Features, gather
from rag.question import analyse
from rag.reader.data import read_corpus
from rag.reader.openvino_reader import Reader
from rag.refusal import MODEL_FILE
from rag.retriever import CorpusRetriever
from rag.settings import RagSettings

LANGUAGES = ("en", "hi", "vi", "sv")
SEED = 20
_FEATURES = tuple(field.name for field in fields(Features))
_OF_READER = ("read", "pointed")


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its features, with the reader and without.

    `stratum` says where it comes from, `fold` what it must not be split from, `asked_in` the question's language.
    """

    stratum: str
    fold: str
    answered: bool
    unread: Features
    read: Features
    asked_in: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """SQuAD questions, by id, and judged questions without an answer that the reader did not learn from.

    None: all of them, because there is no reader.
    """

    ids: frozenset[str] | None = None
    judged: frozenset[str] | None = None

    @classmethod
    def by(cls, reader: Reader | None, data: Path) -> Unseen:
        """What the reader's recipe held out."""
        if reader is None:
            return cls()
        if reader.held_out is None:
            raise click.ClickException("the reader learnt from everything: nothing is left to fit on")
        held = read_corpus(data).fold(reader.held_out, inside=True)
        return cls(
            ids=frozenset(ask for passage in held.passages for ask in passage.asks),
            judged=frozenset(unanswered.question for unanswered in held.unanswered),
        )

    def has(self, case: Case) -> bool:
        """Whether the reader did not see a SQuAD question."""
        return self.ids is None or case.id in self.ids


class Collector:
    """Asks questions of one corpus and keeps what the refusal sees."""

    def __init__(self, corpus: Corpus, embedder: Embedder, reader: Reader | None) -> None:
        self._corpus = corpus
        self._embedder = embedder
        self._reader = reader
        self._retriever = CorpusRetriever(corpus, embedder, top_k=15)

    def example(
        self,
        text: str,
        *,
        asked_in: str,
        stratum: str,
        fold: str,
        answered: bool,
        documents: Sequence[str] | None = None,
    ) -> Example | None:
        """The features of a question, None when nothing at all was found."""
        question = analyse(text)
        hits = self._retriever.hits(question, documents=documents)
        unread = gather(question, hits, self._corpus, self._embedder).features
        if unread is None:
            return None
        read = None
        if self._reader is not None:
            read = gather(question, hits, self._corpus, self._embedder, reader=self._reader).features
        return Example(stratum, fold, answered, unread, read or unread, asked_in)


@dataclass(frozen=True, slots=True)
class Work:
    """What every source of examples needs."""

    folder: Path
    embedder: Embedder
    settings: IndexSettings
    reader: Reader | None
    unseen: Unseen

    @contextmanager
    def corpus(self, name: str, texts: Mapping[str, str]) -> Iterator[Corpus]:
        """An index of texts, by their names."""
        folder, index = self.folder / name, self.folder / f"{name}.index"
        write_texts(folder, texts, alone=True)
        index_folder(folder, index, self.embedder, self.settings)
        with open_corpus(index, self.embedder, self.settings) as corpus:
            yield corpus

    @contextmanager
    def collector(self, name: str, texts: Mapping[str, str]) -> Iterator[tuple[Collector, dict[str, str]]]:
        """A collector over an index of texts, and the document ids by the texts' names."""
        with self.corpus(name, texts) as corpus:
            yield Collector(corpus, self.embedder, self.reader), documents_by_name(corpus)


def xquad_examples(data: Path, work: Work, *, per_pair: int) -> Iterator[Example | None]:
    """Answerable, hidden-article and swapped-name questions over every pair of languages."""
    files = {language: read_squad(data / f"xquad.{language}.json") for language in LANGUAGES}
    rng = random.Random(SEED)  # noqa: S311
    for language, file in files.items():
        with work.collector(f"xquad-{language}", _articles(file)) as (collector, names):
            for asked_in, questions in files.items():
                joined = join(file.cases, questions.cases)
                unseen = [case for case in joined if work.unseen.has(case)]
                for case in rng.sample(unseen, min(per_pair, len(unseen))):
                    fold = f"article {case.article}"
                    elsewhere = [id_ for name, id_ in names.items() if name != f"{case.article:02d}"]
                    ask = partial(collector.example, case.question, fold=fold, asked_in=asked_in)
                    yield ask(stratum=f"xquad {asked_in}->{language}", answered=True)
                    yield ask(stratum="article hidden", answered=False, documents=elsewhere)
                    swapped = _swap_name(case, joined, rng)
                    if swapped:
                        yield collector.example(
                            swapped, stratum="name swapped", fold=fold, answered=False, asked_in=asked_in
                        )


def _articles(file: SquadFile) -> dict[str, str]:
    return {f"{number:02d}": article.text for number, article in enumerate(file.articles) if article.text}


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


def squad2_examples(path: Path, work: Work, *, limit: int) -> Iterator[Example | None]:
    """Impossible and possible questions of SQuAD 2.0 in Swedish over all its paragraphs."""
    file = read_squad(path)
    rng = random.Random(SEED)  # noqa: S311
    with work.collector("squad2", _articles(file)) as (collector, _):
        for answered, cases in ((True, file.cases), (False, file.unanswerable)):
            unseen = [case for case in cases.values() if work.unseen.has(case)]
            for case in rng.sample(unseen, min(limit, len(unseen))):
                fold = f"squad2 article {case.article}"
                yield collector.example(
                    case.question, stratum="squad2-sv", fold=fold, answered=answered, asked_in="sv"
                )


def nomiracl_examples(folder: Path, work: Work, *, limit: int) -> Iterator[Example | None]:
    """Questions over their own ten passages."""
    for language in ("en", "hi"):
        relevant = read_nomiracl(folder / f"relevant.{language}.jsonl")
        judged = read_nomiracl(folder / f"non_relevant.{language}.jsonl")
        kept = work.unseen.judged
        unseen = [case for case in judged if kept is None or case.question in kept]
        cases = [*relevant[:limit], *unseen[:limit]]
        texts = {name: text for case in cases for name, text in passage_texts(case).items()}
        with work.collector(f"nomiracl-{language}", texts) as (collector, names):
            for case in cases:
                own = [names[name] for name in passage_texts(case) if name in names]
                if own:
                    yield collector.example(
                        case.question,
                        asked_in=language,
                        stratum=f"nomiracl {language}",
                        fold=f"nomiracl {case.id}",
                        answered=case.answerable,
                        documents=own,
                    )


def fit(examples: Sequence[Example], *, read: bool) -> tuple[dict[str, object], dict[str, float]]:
    """The model on all examples, with the reader's features or without, and how well it does.

    Returns:
        Intercept and weights; and, from models that did not see its fold, the AUROC of each stratum and the share
        refused at the default threshold. Negatives that are no stratum of their own are set against the
        answerable questions of XQuAD; the operating point also by the language of XQuAD questions.
    """
    names = [name for name in _FEATURES if read or name not in _OF_READER]
    features = [e.read if read else e.unread for e in examples]
    table = np.array([[getattr(row, name) for name in names] for row in features])
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
    threshold = RagSettings.model_fields["refusal_threshold"].default
    scores = _scores(examples, predicted, predicted < threshold)
    values = {name: round(float(w), 4) for name, w in zip(names, slopes, strict=True)}
    return {"intercept": round(intercept, 4), "weights": values}, scores


def by_cosine(examples: Sequence[Example]) -> dict[str, float]:
    """What one threshold on the cosine of the best passage would do, set so that it refuses as many of the answerable
    questions of XQuAD as the model does on average: one in ten. Scores as those of `fit`."""
    cosines = np.array([e.unread.passage for e in examples])
    of_xquad = np.array([e.stratum.startswith("xquad ") for e in examples])
    return _scores(examples, cosines, cosines < np.quantile(cosines[of_xquad], 0.1))


def _scores(examples: Sequence[Example], predicted: np.ndarray, refused: np.ndarray) -> dict[str, float]:
    """The area under the ROC curve of each stratum, and the share refused of each kind of question."""
    truth = np.array([e.answered for e in examples])
    weights = _weights(examples)
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
    groups = np.where(is_xquad, "xquad", strata)
    for group in sorted(set(groups)):
        for answered, word in ((True, "answered"), (False, "not answered")):
            rows = (groups == group) & (truth == answered)
            if rows.any():
                scores[f"refused: {group}, {word}"] = float(refused[rows].mean())
    of_xquad = is_xquad | hidden | (strata == "name swapped")
    asked = np.array([e.asked_in for e in examples])
    for language in LANGUAGES:
        for answered, word in ((True, "answered"), (False, "not answered")):
            rows = of_xquad & (asked == language) & (truth == answered)
            if rows.any():
                scores[f"refused: xquad asked in {language}, {word}"] = float(refused[rows].mean())
    return scores


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
        reader = load_reader(RagSettings(index=settings))
        kit = Work(folder, load_embedder(settings), settings, reader, Unseen.by(reader, data))
        found: list[Example | None] = []
        for source in (
            xquad_examples(data / "xquad-dev", kit, per_pair=per_pair),
            squad2_examples(data / "squad2-sv-dev" / "squad2.sv.json", kit, limit=limit * 2),
            nomiracl_examples(data / "nomiracl", kit, limit=limit),
        ):
            for example in source:
                found.append(example)
                if len(found) % 200 == 0:
                    click.echo(f"{len(found):,} questions asked", err=True)
    examples = [example for example in found if example is not None]
    if work:
        rows = json.dumps([asdict(example) for example in examples])
        (work / "examples.json").write_text(rows, encoding="utf-8")
    click.echo(f"{len(examples):,} questions\n")
    models, scores = {}, {}
    for name, read in (("similarity", False), ("reader", True)):
        if kit.reader is not None or not read:
            models[name], scores[name] = fit(examples, read=read)
    scores = {"cosine": by_cosine(examples), **scores}
    click.echo(" ".join([f"{'':40s}", *(f"{name:>10s}" for name in scores)]))
    for name in scores["similarity"]:
        click.echo(" ".join([f"{name:40s}", *(f"{found[name]:10.3f}" for found in scores.values())]))
    click.echo(json.dumps(models, indent=1))
    if write:
        command = (
            f"python -m eval.fit_refusal DATA --per-pair {per_pair} --limit {limit} --write; seed {SEED}"
        )
        recipe = f"{command}; {len(examples):,} questions"
        content = {"recipe": recipe, "embedder": kit.embedder.name, **models}
        MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
