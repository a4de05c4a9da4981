"""Questions whose answer the documents hold, and questions whose answer they do not, of public data.

Answerable: XQuAD questions in one language over the articles of another, the possible questions of SQuAD 2.0 in
Swedish, NoMIRACL questions with a relevant passage, and questions of the pool over the texts of their source. Not
answerable: the same questions with their article or text hidden, with their name replaced by one of another
article's questions, or asked of another article alone; the impossible questions of SQuAD 2.0; NoMIRACL questions
without a relevant passage. A reader has learnt of the same data: with one, only the articles, titles and questions that
its recipe held out are used.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import click

from eval.learning.data import read_corpus
from eval.learning.pool import Item, held_out_items
from eval.nomiracl import passage_texts, read_nomiracl
from eval.squad import Article, Case, SquadFile, join, read_squad
from rag.question import analyse

LANGUAGES = ("en", "hi", "vi", "sv")
SEED = 20


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """A question before it is asked, as `eval.learning.looked.Looked` has it.

    `names`: the texts it looks into, None for all; `case`: what it was made of, where it is known where in the texts
    that is answered.
    """

    question: str
    stratum: str
    fold: str
    answered: bool
    asked_in: str
    names: tuple[str, ...] | None = None
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Questions about the texts of one index, by the texts' names; `articles` are those that cases count, by numbers of
    `digits` digits as names."""

    name: str
    index: str
    language: str
    texts: Mapping[str, str]
    asks: Sequence[PlannedQuestion]
    articles: Sequence[Article] = ()
    digits: int = 2


class Taught(Protocol):
    """What learnt from the data, apart from the fold `held_out`; None: from all of it."""

    held_out: int | None


@dataclass(frozen=True, slots=True)
class Unseen:
    """What the reader did not learn from: SQuAD questions by id, judged questions without an answer, and the first
    passages of answered ones, whose text it may have learnt from.

    None: all of them, because there is no reader.
    """

    ids: frozenset[str] | None = None
    judged: frozenset[str] | None = None
    texts: frozenset[str] | None = None

    @classmethod
    def by(cls, reader: Taught | None, data: Path) -> Unseen:
        """What the reader's recipe held out."""
        if reader is None:
            return cls()
        if reader.held_out is None:
            raise click.ClickException("the reader learnt from everything: nothing is left to fit on")
        held = read_corpus(data).fold(reader.held_out, inside=True)
        return cls(
            ids=frozenset(ask for passage in held.passages for ask in passage.asks),
            judged=frozenset(unanswered.question for unanswered in held.unanswered),
            texts=frozenset(text.passages[0].strip() for text in held.texts),
        )

    def has(self, case: Case) -> bool:
        """Whether the reader did not see a SQuAD question."""
        return self.ids is None or case.id in self.ids


def xquad_parts(data: Path, unseen: Unseen, *, per_pair: int) -> list[Part]:
    """Answerable, hidden-article and swapped-name questions over every pair of languages."""
    files = {language: read_squad(data / f"xquad.{language}.json") for language in LANGUAGES}
    rng = random.Random(SEED)  # noqa: S311
    parts = []
    for language, file in files.items():
        names = [name for name, text in articles(file).items() if text.strip()]
        asks: list[PlannedQuestion] = []
        for asked_in, questions in files.items():
            joined = join(file.cases, questions.cases)
            left = [case for case in joined if unseen.has(case)]
            for case in rng.sample(left, min(per_pair, len(left))):
                asks += _three_of(case, joined, f"xquad {asked_in}->{language}", asked_in, names, rng)
        parts.append(
            Part(f"xquad-{language}", f"xquad-{language}", language, articles(file), asks, file.articles)
        )
    return parts


def _three_of(  # noqa: PLR0917 - one step of `xquad_parts`
    case: Case, joined: Sequence[Case], stratum: str, asked_in: str, names: Sequence[str], rng: random.Random
) -> Iterator[PlannedQuestion]:
    own, fold = f"{case.article:02d}", f"article {case.article}"
    elsewhere = tuple(name for name in names if name != own)
    yield PlannedQuestion(case.question, stratum, fold, answered=True, asked_in=asked_in, case=case)
    yield PlannedQuestion(
        case.question, "article hidden", fold, answered=False, asked_in=asked_in, names=elsewhere
    )
    swapped = _swap_name(case, joined, rng)
    if swapped:
        yield PlannedQuestion(swapped, "name swapped", fold, answered=False, asked_in=asked_in)


def articles(file: SquadFile) -> dict[str, str]:
    """The articles that have a text, by two digits."""
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


def squad2_part(path: Path, unseen: Unseen, *, numbers: Mapping[str, int], limit: int) -> Part:
    """Impossible and possible questions of SQuAD 2.0 in Swedish over all its paragraphs; `numbers`: which article of
    XQuAD has a title, since they are the same ones."""
    file = read_squad(path)
    rng = random.Random(SEED)  # noqa: S311
    asks = []
    for answered, cases in ((True, file.cases), (False, file.unanswerable)):
        left = [case for case in cases.values() if unseen.has(case)]
        for case in rng.sample(left, min(limit, len(left))):
            fold = f"article {numbers.get(file.articles[case.article].title, f'squad2 {case.article}')}"
            asks.append(
                PlannedQuestion(case.question, "squad2-sv", fold, answered=answered, asked_in="sv", case=case)
            )
    return Part("squad2", "squad2", "sv", articles(file), asks, file.articles)


def nomiracl_parts(folder: Path, unseen: Unseen, *, limit: int) -> list[Part]:
    """Questions over their own ten passages."""
    parts = []
    for language in ("en", "hi"):
        relevant = read_nomiracl(folder / f"relevant.{language}.jsonl")
        judged = read_nomiracl(folder / f"non_relevant.{language}.jsonl")
        if unseen.judged is not None and unseen.texts is not None:
            relevant = [c for c in relevant if next(iter(c.passages.values())) in unseen.texts]
            judged = [c for c in judged if c.question in unseen.judged]
        cases = [*relevant[:limit], *judged[:limit]]
        asks = [
            PlannedQuestion(
                case.question,
                f"nomiracl {language}",
                f"nomiracl {case.id}",
                answered=case.answerable,
                asked_in=language,
                names=tuple(passage_texts(case)),
            )
            for case in cases
        ]
        texts = {name: text for case in cases for name, text in passage_texts(case).items()}
        parts.append(Part(f"nomiracl-{language}", f"nomiracl-{language}", language, texts, asks))
    return parts


# Sources of the pool that are asked about, with their language: native Bengali, and the nearest to Swedish.
_SOURCES = {"bn_haque2020": "bn", "norquad": "nb"}


def pool_parts(data: Path, *, limit: int) -> list[Part]:
    """Questions of the titles that no reader learns from, over all texts of these titles."""
    return [
        _pool_part(source, language, held_out_items(data, source), limit=limit)
        for source, language in _SOURCES.items()
    ]


def _pool_part(source: str, language: str, items: Sequence[Item], *, limit: int) -> Part:
    texts = {text: f"{place:04d}" for place, text in enumerate(dict.fromkeys(item.text for item in items))}
    rng = random.Random(SEED)  # noqa: S311
    answered = [item for item in items if item.answers]
    asks = []
    for number, item in enumerate(rng.sample(answered, min(limit, len(answered)))):
        own, (place, *_) = texts[item.text], item.answers
        answers = tuple(item.text[a.start : a.end] for a in item.answers)
        case = Case(f"{source}-{number}", item.question, int(own), answers, place.start, place.end)
        fold = f"{source} {item.title}"
        elsewhere = tuple(name for name in texts.values() if name != own)
        asks.append(PlannedQuestion(item.question, source, fold, answered=True, asked_in=language, case=case))
        asks.append(
            PlannedQuestion(
                item.question, f"{source} hidden", fold, answered=False, asked_in=language, names=elsewhere
            )
        )
    articles = [Article("", text) for text in texts]
    return Part(source, source, language, {name: text for text, name in texts.items()}, asks, articles, 4)


def parts_of(data: Path, unseen: Unseen, *, per_pair: int, limit: int) -> list[Part]:
    """All parts of a folder of public data that the refusal is fitted on."""
    xquad = xquad_parts(data / "xquad-dev", unseen, per_pair=per_pair)
    numbers = {article.title: number for number, article in enumerate(xquad[0].articles)}
    return [
        *xquad,
        squad2_part(data / "squad2-sv-dev" / "squad2.sv.json", unseen, numbers=numbers, limit=limit * 2),
        *nomiracl_parts(data / "nomiracl", unseen, limit=limit),
        *pool_parts(data, limit=limit * 2),
    ]


def unseen_of(file: SquadFile, unseen: Unseen) -> SquadFile:
    """The file with the questions that the reader did not see, and the articles these are about."""
    cases = {id_: case for id_, case in file.cases.items() if unseen.has(case)}
    kept = {case.article for case in cases.values()}
    texts = tuple(a if i in kept else replace(a, text="") for i, a in enumerate(file.articles))
    return replace(file, cases=cases, articles=texts)
