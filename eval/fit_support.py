"""Fits the score of `rag.verification.support` on public data and measures what the whole check catches.

    python -m eval.fit_support DATA [--write]

DATA holds `xquad-dev/`, parallel files in SQuAD format. A true claim is the sentence of one language that holds an
answer, or the words around the answer, cited from the paragraph of another language that says the same. Planted claims: the same sentence cited from
another paragraph of the article, or from its own without the sentence that holds the answer; and the sentence with a
digit changed, or with an answer that is a name exchanged for another. Folds are by article.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from eval.squad import SEPARATOR, Case, SquadFile, read_squad
from index.embedder import Embedder, load_embedder
from index.facts import facts_in
from index.normalise import normalise
from index.sentences import split_sentences
from index.settings import IndexSettings
from index.types import Chunk, Document
from rag.answer import Hit
from rag.lexical import text_terms
from rag.question import analyse
from rag.verification.passage import Passage
from rag.verification.support import (
    MODEL_FILE,
    Features,
    Source,
    features_of,
    missing_facts,
    sources_of,
    stated,
)

LANGUAGES = ("en", "hi", "vi", "sv")
PLANTS = ("elsewhere", "removed", "number", "name")
SEED = 20
FOLDS = 5
MARKED = 0.05
"""Part of the true claims that the check may mark by mistake."""
_NAMES = tuple(field.name for field in fields(Features))
# Other paragraphs of the article among which the cited one stands, as a question's other hits do.
_OTHERS = 3
# How often a claim is only the words around its answer, and how many of them on each side.
_PARTS = 0.5
_AROUND = (3, 8)
_WORD = re.compile(r"\S+")
# Pushes from which the threshold for names is chosen; the last is never reached.
_PUSHES = (0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 9.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A claim held against passages.

    `plant` says how it was made wrong, "" for a true one; `missing` whether a fact of it stands nowhere.
    """

    pair: str
    article: int
    plant: str
    features: Features
    missing: bool


@dataclass(frozen=True, slots=True)
class Text:
    """A claim in its words: where the answer stands in it, and the question it answers."""

    case: Case
    text: str
    start: int
    end: int


class Language:
    """One file: its paragraphs as passages, and its answers' sentences."""

    def __init__(self, code: str, file: SquadFile, embedder: Embedder) -> None:
        self.code = code
        self.cases = file.cases
        self._starts: dict[int, list[int]] = {}
        texts: list[tuple[int, str]] = []
        self.first: dict[int, int] = {}
        for number, article in enumerate(file.articles):
            self.first[number] = len(texts)
            starts, start = [], 0
            for paragraph in article.text.split(SEPARATOR):
                starts.append(start)
                start += len(paragraph) + len(SEPARATOR)
                texts.append((number, normalise(paragraph)))
            self._starts[number] = starts
        passages = [_passage(n, text, code) for n, (_, text) in enumerate(texts)]
        self.sources = sources_of(passages, embedder)

    def paragraphs(self, article: int) -> int:
        """How many paragraphs an article has."""
        return len(self._starts[article])

    def place(self, case: Case) -> tuple[int, int] | None:
        """The paragraph (of all) that holds a case's answer, and the position of the sentence that does."""
        starts = self._starts[case.article]
        within = max(number for number, start in enumerate(starts) if start <= case.start)
        paragraph = self.first[case.article] + within
        answer = normalise(case.answers[0])
        offset = case.start - starts[within]
        holding = [
            (abs(sentence.start - offset), position)
            for position, sentence in enumerate(self.sources[paragraph].sentences)
            if answer in sentence.text
        ]
        return (paragraph, min(holding)[1]) if holding else None

    def claim(self, case: Case) -> Text | None:
        """The sentence that holds a case's answer."""
        found = self.place(case)
        if found is None:
            return None
        text = self.sources[found[0]].sentences[found[1]].text
        answer = normalise(case.answers[0])
        start = text.index(answer)
        return Text(case, text, start, start + len(answer))


def _passage(number: int, text: str, language: str) -> Passage:
    document = Document(f"p{number}", "", "", language, None, text, "text/plain")
    sentences = tuple(split_sentences(document))
    chunk = Chunk(document.id, document.id, 0, 0, len(text), text, language, 0, max(0, len(sentences) - 1))
    hit = Hit(chunk, "", None, language, score=0.0, dense=0.0, sentence=0.0, lexical=0.0)
    return Passage(number, hit, 0, len(text), text, sentences)


def examples(languages: Mapping[str, Language], embedder: Embedder, *, per_pair: int) -> Iterator[Example]:
    """True and planted claims over every pair of languages."""
    rng = random.Random(SEED)  # noqa: S311
    names = sorted(
        id_
        for id_, case in languages["en"].cases.items()
        if all(word[0].isupper() for word in case.answers[0].split())
    )
    for spoken in languages.values():
        for written in languages.values():
            shared = sorted(spoken.cases.keys() & written.cases.keys())
            for id_ in rng.sample(shared, min(per_pair, len(shared))):
                yield from _of_case(id_, spoken, written, names, embedder, rng)


def _of_case(  # noqa: PLR0917 - one step of `examples`
    id_: str,
    spoken: Language,
    written: Language,
    names: Sequence[str],
    embedder: Embedder,
    rng: random.Random,
) -> Iterator[Example]:
    claim, place = spoken.claim(spoken.cases[id_]), written.place(written.cases[id_])
    if claim is None or place is None:
        return
    # Within one language the whole sentence would only be found again.
    if spoken is written or rng.random() < _PARTS:
        claim = _part(claim, rng)
    paragraph, sentence = place
    own = written.sources[paragraph]
    article = written.cases[id_].article
    first = written.first[article]
    others = [n for n in range(first, first + written.paragraphs(article)) if n != paragraph]
    around = [written.sources[n] for n in rng.sample(others, min(_OTHERS, len(others)))]
    question = analyse(claim.case.question, language=spoken.code)
    repeated, known = facts_in(question.text, spoken.code), [text_terms(question.text, spoken.code)]
    texts = {"": claim.text, "number": _other_number(claim, spoken.code, rng)}
    texts["name"] = _other_name(claim, spoken, names, rng) if id_ in names else None
    said = {plant: text for plant, text in texts.items() if text}
    claims = dict(zip(said, stated(list(said.values()), spoken.code, embedder), strict=True))
    settings = [(plant, claims[plant], own) for plant in said]
    if around:
        settings.append(("elsewhere", claims[""], around[0]))
    if len(own.sentences) > 1:
        settings.append(("removed", claims[""], _without(own, sentence)))
    for plant, statement, cited in settings:
        sources = [cited, *(source for source in around if source is not cited)]
        features, _ = features_of(statement, [cited], sources, known, embedder)
        missing = bool(missing_facts(statement, [cited], repeated))
        pair = f"{spoken.code}->{written.code}"
        yield Example(pair, article, plant, features, missing)


def _part(claim: Text, rng: random.Random) -> Text:
    """The words around the answer: an answer's sentences are shorter than those of an article."""
    words = list(_WORD.finditer(claim.text))
    around = rng.randint(*_AROUND)
    first = max(0, sum(word.end() <= claim.start for word in words) - around)
    last = min(len(words), sum(word.start() < claim.end for word in words) + around)
    start, end = words[first].start(), words[last - 1].end()
    return Text(claim.case, claim.text[start:end], claim.start - start, claim.end - start)


def _without(source: Source, position: int) -> Source:
    kept = [n for n in range(len(source.sentences)) if n != position]
    sentences = tuple(source.sentences[n] for n in kept)
    return replace(
        source,
        passage=replace(source.passage, sentences=sentences),
        vectors=source.vectors[kept],
        facts=tuple(source.facts[n] for n in kept),
    )


def _other_number(claim: Text, language: str, rng: random.Random) -> str | None:
    """The claim with one digit of one of its numbers changed, None when it has none in digits."""
    digits = [
        place
        for fact in facts_in(claim.text, language)
        if not fact.weak
        for place in range(fact.start, fact.end)
        if claim.text[place].isdecimal()
    ]
    if not digits:
        return None
    place = rng.choice(digits)
    digit = (int(claim.text[place]) + rng.randrange(1, 9)) % 9 + 1
    if digit == int(claim.text[place]):
        digit = digit % 9 + 1
    return f"{claim.text[:place]}{digit}{claim.text[place + 1 :]}"


def _other_name(claim: Text, language: Language, names: Sequence[str], rng: random.Random) -> str | None:
    """The claim with its answer, a name, exchanged for the name that answers in another article."""
    for _ in range(50):
        other = language.cases.get(rng.choice(names))
        if other is not None and other.article != claim.case.article:
            name = normalise(other.answers[0])
            if name.casefold() not in claim.text.casefold():
                return f"{claim.text[: claim.start]}{name}{claim.text[claim.end :]}"
    return None


@dataclass(frozen=True, slots=True)
class Table:
    """The examples as columns."""

    pairs: NDArray[np.str_]
    plants: NDArray[np.str_]
    folds: NDArray[np.int_]
    values: Floats
    missing: NDArray[np.bool_]

    def pushed(self, least: float) -> NDArray[np.bool_]:
        """(examples,) whether a name that stands nowhere is taken for a wrong one, as `support.wrong_name` does."""
        push = self.values[:, _NAMES.index("unheld")]
        same = self.values[:, _NAMES.index("same_language")] > 0
        return (push >= least) | (same & (push > 0) & (least < _PUSHES[-1]))

    @classmethod
    def of(cls, rows: Sequence[Example]) -> Table:
        """The columns of examples."""
        return cls(
            pairs=np.array([row.pair for row in rows]),
            plants=np.array([row.plant for row in rows]),
            folds=np.array([_fold(row.article) for row in rows]),
            values=np.array([[getattr(row.features, name) for name in _NAMES] for row in rows]),
            missing=np.array([row.missing for row in rows]),
        )


def _fold(article: int) -> int:
    return int(hashlib.sha256(str(article).encode()).hexdigest(), 16) % FOLDS


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over the features, as they are, and the thresholds it is used with."""

    intercept: float
    weights: Floats
    threshold: float = 0.0
    push: float = 9.0

    def scores(self, values: Floats) -> Floats:
        """(examples,) probabilities of support."""
        return np.asarray(1 / (1 + np.exp(-(values @ self.weights + self.intercept))))

    def marks(self, table: Table, *, facts: bool = True) -> NDArray[np.bool_]:
        """(examples,) whether the check marks a claim."""
        marked = (self.scores(table.values) < self.threshold) | table.pushed(self.push)
        return marked | (table.missing & facts)


def train(table: Table, rows: NDArray[np.bool_], *, names: bool) -> Model:
    """Fit on some examples. A changed number looks like the right one, so similarity cannot learn from it."""
    rows = rows & (table.plants != "number")
    values = table.values.copy()
    if not names:
        values[:, [_NAMES.index(name) for name in ("unheld", "rare", "names")]] = 0.0
    counts = {plant: float((table.plants[rows] == plant).sum()) for plant in set(table.plants[rows])}
    weights = np.array([(len(counts) - 1 if not p else 1) / counts[p] for p in table.plants[rows]])
    scaler = StandardScaler().fit(values[rows])
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(
        scaler.transform(values[rows]),
        table.plants[rows] == "",
        sample_weight=weights * rows.sum() / weights.sum(),
    )
    slopes = model.coef_[0] / scaler.scale_
    return Model(float(model.intercept_[0] - slopes @ scaler.mean_), slopes)


def with_thresholds(
    model: Model, table: Table, rows: NDArray[np.bool_], *, names: bool, facts: bool
) -> Model:
    """The thresholds that catch most planted claims while `MARKED` of the true ones are marked."""
    scores = model.scores(table.values)
    true = rows & (table.plants == "")
    best, most = model, -1.0
    for limit in _PUSHES if names else _PUSHES[-1:]:
        marked = table.pushed(limit) | (table.missing & facts)
        left = MARKED - marked[true].mean()
        if left < 0:
            continue
        free = scores[true & ~marked]
        threshold = float(np.quantile(free, left * true.sum() / len(free)))
        made = replace(model, threshold=threshold, push=limit)
        marks = made.marks(table, facts=facts)
        caught = float(np.mean([marks[rows & (table.plants == plant)].mean() for plant in PLANTS]))
        if caught > most:
            best, most = made, caught
    return best


def held_out(table: Table, *, names: bool, facts: bool) -> NDArray[np.bool_]:
    """(examples,) what is marked by models and thresholds that did not see the example's articles."""
    marks = np.zeros(len(table.plants), bool)
    for fold in range(FOLDS):
        seen = table.folds != fold
        model = with_thresholds(train(table, seen, names=names), table, seen, names=names, facts=facts)
        marks[~seen] = model.marks(table, facts=facts)[~seen]
    return marks


def report(table: Table) -> str:
    """Markdown: the share of claims marked, by pair of languages, and for the parts of the check."""
    head = "| | true claims | other passage | sentence removed | number changed | name exchanged |"
    lines = [head, "|---|---|---|---|---|---|"]
    whole = held_out(table, names=True, facts=True)
    for pair in sorted(set(table.pairs)):
        lines.append(_line(pair.replace("->", " → "), whole, table, table.pairs == pair))
    everything = np.ones(len(table.plants), bool)
    for label, names, facts in (
        ("all pairs", True, True),
        ("similarity and names", True, False),
        ("similarity and facts", False, True),
        ("similarity alone", False, False),
    ):
        lines.append(_line(f"**{label}**", held_out(table, names=names, facts=facts), table, everything))
    counts = " | ".join(str(int((table.plants == plant).sum())) for plant in ("", *PLANTS))
    return "\n".join([*lines, f"| claims | {counts} |"])


def _line(label: str, marks: NDArray[np.bool_], table: Table, rows: NDArray[np.bool_]) -> str:
    shares = []
    for plant in ("", *PLANTS):
        chosen = marks[rows & (table.plants == plant)]
        shares.append(f"{chosen.mean():.0%}" if len(chosen) else "-")
    return f"| {label} | {' | '.join(shares)} |"


@click.command()
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--per-pair", default=60, show_default=True, help="Answers for each pair of languages.")
@click.option("--keep", type=click.Path(path_type=Path), help="Write the examples to this file.")
@click.option("--write", is_flag=True, help="Write the model beside rag/verification/support.py.")
def main(data: Path, per_pair: int, keep: Path | None, write: bool) -> None:
    """Fit the score of support on DATA and print what the check marks, as a Markdown table."""
    embedder = load_embedder(IndexSettings())
    languages = {}
    for code in LANGUAGES:
        languages[code] = Language(code, read_squad(data / "xquad-dev" / f"xquad.{code}.json"), embedder)
        click.echo(f"{code}: {len(languages[code].sources):,} paragraphs", err=True)
    rows = []
    for row in examples(languages, embedder, per_pair=per_pair):
        rows.append(row)
        if len(rows) % 500 == 0:
            click.echo(f"{len(rows):,} claims", err=True)
    if keep:
        keep.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    table = Table.of(rows)
    everything = np.ones(len(rows), bool)
    model = train(table, everything, names=True)
    model = with_thresholds(model, table, everything, names=True, facts=True)
    click.echo(report(table))
    content = {
        "recipe": f"python -m eval.fit_support DATA --per-pair {per_pair} --write; seed {SEED}; {len(rows):,} claims",
        "embedder": embedder.name,
        "threshold": round(model.threshold, 4),
        "name_threshold": round(model.push, 4),
        "intercept": round(model.intercept, 4),
        "weights": {name: round(float(w), 4) for name, w in zip(_NAMES, model.weights, strict=True)},
    }
    click.echo(json.dumps(content, indent=2))
    if write:
        MODEL_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
