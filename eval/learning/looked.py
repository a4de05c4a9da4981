"""What is found out about questions with and without an answer: what scores are fitted on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval import metrics
from eval.learning.asked import Part, PlannedQuestion, Unseen
from eval.provenance import file_hash
from eval.public import documents_by_name, index_folder, locate_all, open_corpus, write_texts
from eval.records import Place
from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.language.quantities import Quantity, numbers_in
from index.settings import IndexSettings
from rag.assistant import load_reader
from rag.evidence import clauses_of, gather
from rag.matching.coverage import coverage_of
from rag.matching.query import Query
from rag.matching.retriever import CorpusRetriever
from rag.question import Question, analyse
from rag.reader.encode import SpanScore
from rag.reader.openvino_reader import Reader
from rag.scoring import SentenceFeatures
from rag.settings import RagSettings, reader_file
from rag.short_answer import completed, fits

# Rises when something else is looked at: what was kept is then looked at anew.
_VERSION = 4
# Sentences of a question whose short answer is looked at: those with the largest margins.
_SHORT = 4
# A short answer with so much of an expected one, as F1 over words, says the same to a person.
_SAME = 0.6


@dataclass(frozen=True, slots=True)
class Short:
    """What would be the short answer of a sentence, and whether it is right; None where that is not known."""

    words: int
    share: float
    figure: float
    misses: float
    right: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence that was looked at.

    `passage` counts the question's passages, `right` says whether the answer stands in it; None: that is not known.
    """

    features: SentenceFeatures
    language: str
    passage: int
    right: bool | None
    short: Short | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A passage that was looked into: its document, and what that holds of the question (`rag.matching.coverage`)."""

    document: str
    language: str
    score: float
    lexical: float
    names: float
    numbers: float


@dataclass(frozen=True, slots=True)
class Looked:
    """One question and everything that was looked at.

    `stratum` says where it comes from, `fold` what it must not be split from, `asked_in` the question's language and
    `read_in` that of what it was asked of.
    """

    stratum: str
    fold: str
    answered: bool
    asked_in: str
    read_in: str
    passages: tuple[Seen, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What every source of examples needs; `reader_hash` is that of the reader's file, "" without one."""

    folder: Path
    embedder: Embedder
    settings: IndexSettings
    reader: Reader | None
    unseen: Unseen
    reader_hash: str = ""

    @classmethod
    def load(cls, folder: Path, data: Path) -> Work:
        """The models that the environment's settings name, indexes in `folder`."""
        settings = RagSettings(index=IndexSettings(data_dir=folder))
        reader, path = load_reader(settings), reader_file(settings)
        made = file_hash(path) if reader is not None and path is not None else ""
        return cls(
            folder, load_embedder(settings.index), settings.index, reader, Unseen.by(reader, data), made
        )

    @contextmanager
    def corpus(self, name: str, texts: Mapping[str, str]) -> Iterator[Corpus]:
        """An index of texts, by their names."""
        folder, index = self.folder / name, self.folder / f"{name}.index"
        write_texts(folder, texts, alone=True)
        index_folder(folder, index, self.embedder, self.settings)
        with open_corpus(index, self.embedder, self.settings) as corpus:
            yield corpus


def collect(parts: Sequence[Part], work: Work, *, tell: Callable[[str], None]) -> list[Looked]:
    """The questions of all parts; a part that an earlier run finished is taken from the work folder."""
    found: list[Looked] = []
    for part in parts:
        path = work.folder / f"{part.name}.looked.json"
        key = _key(part, work)
        kept = _kept(path, key)
        if kept is None:
            kept = _asked(part, work, tell=tell)
            rows = [asdict(looked) for looked in kept]
            path.write_text(json.dumps({"key": key, "looked": rows}), encoding="utf-8")
        found += kept
        tell(f"{part.name}: {len(kept):,} questions")
    return found


def _key(part: Part, work: Work) -> str:
    """What a kept part must agree in to be used again."""
    said = json.dumps([work.embedder.name, work.reader_hash, _VERSION, [asdict(ask) for ask in part.asks]])
    return hashlib.sha256(said.encode()).hexdigest()


def _kept(path: Path, key: str) -> list[Looked] | None:
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return [_restored(row) for row in content["looked"]] if content["key"] == key else None


def _restored(row: dict[str, Any]) -> Looked:
    rows = tuple(
        Row(
            SentenceFeatures(**one["features"]),
            one["language"],
            one["passage"],
            one["right"],
            Short(**one["short"]) if one["short"] else None,
        )
        for one in row["rows"]
    )
    return Looked(**{**row, "passages": tuple(Seen(**one) for one in row["passages"]), "rows": rows})


def _asked(part: Part, work: Work, *, tell: Callable[[str], None]) -> list[Looked]:
    """Ask all questions of a part; one that nothing at all is found for is left out."""
    found = []
    with work.corpus(part.index, part.texts) as corpus:
        ids = documents_by_name(corpus)
        cases = [ask.case for ask in part.asks if ask.case is not None and ask.answered]
        places = locate_all(corpus, part.articles, cases, lambda case: f"{case.article:0{part.digits}d}")
        retriever = CorpusRetriever(top_k=15)
        for number, ask in enumerate(part.asks, start=1):
            documents = None if ask.names is None else [ids[name] for name in ask.names if name in ids]
            if documents != []:
                place = places.get(ask.case.id) if ask.case is not None and ask.answered else None
                looked = _looked(ask, part, documents, place, retriever, corpus, work)
                found += [] if looked is None else [looked]
            if number % 100 == 0:
                tell(f"{part.name}: {number:,} of {len(part.asks):,}")
    return found


def _looked(  # noqa: PLR0917 - one step of `_asked`
    ask: PlannedQuestion,
    part: Part,
    documents: Sequence[str] | None,
    place: Place | None,
    retriever: CorpusRetriever,
    corpus: Corpus,
    work: Work,
) -> Looked | None:
    question = analyse(ask.question)
    query = Query.of(question, corpus, work.embedder)
    hits = retriever.hits(query, among=None if documents is None else frozenset(documents))
    evidence = gather(query, hits, reader=work.reader)
    if not evidence.supports:
        return None
    passages = []
    for hit in evidence.hits:
        held = coverage_of(question, query.openings, hit)
        passages.append(
            Seen(hit.chunk.document_id, hit.chunk.language, hit.score, hit.lexical, held.names, held.numbers)
        )
    order = {hit.chunk.id: place for place, hit in enumerate(evidence.hits)}
    by_margin = sorted(evidence.supports, key=lambda s: -(s.span.margin if s.span else -99.0))[:_SHORT]
    rows = []
    for support in evidence.supports:
        sentence = support.sentence
        right = None if ask.answered else False
        if place is not None:
            right = place.meets(sentence.document_id, sentence.start, sentence.end)
        short = None
        if support in by_margin and support.span is not None:
            clauses = clauses_of(question, support, work.reader)
            said = completed(question, support, support.span, clauses=clauses)
            short = _short(question, said, support.span, right=right, expected=_Expected.of(ask, part))
        rows.append(Row(support.features, sentence.language, order[support.hit.chunk.id], right, short))
    return Looked(
        ask.stratum, ask.fold, ask.answered, ask.asked_in, part.language, tuple(passages), tuple(rows)
    )


@dataclass(frozen=True, slots=True)
class _Expected:
    """What may be said to a question, in the language of its text."""

    answers: Sequence[str]
    language: str

    @classmethod
    def of(cls, ask: PlannedQuestion, part: Part) -> _Expected:
        return cls(ask.case.answers if ask.case is not None else (), part.language)

    def is_met(self, text: str) -> bool:
        """Whether a short text says the same, to a person."""
        return (
            metrics.f1(text, self.answers, self.language) >= _SAME
            or bool(metrics.short_answer_match(text, self.answers, language=self.language))
            or any(_same_numbers(text, answer, self.language) for answer in self.answers)
        )


def _short(
    question: Question,
    said: tuple[str, list[Quantity]],
    span: SpanScore,
    *,
    right: bool | None,
    expected: _Expected,
) -> Short:
    text, quantities = said
    if right and expected.answers:
        right = expected.is_met(text)
    asked, held = question.wants_number or question.wants_date, fits(question, quantities)
    return Short(len(text.split()), span.share, float(asked and held), float(asked and not held), right)


def _same_numbers(text: str, answer: str, language: str) -> bool:
    """Whether two short texts name the same numbers, whatever the words round them: "540+" and "more than 540"."""
    numbers = numbers_in(text, language)
    return bool(numbers) and numbers == numbers_in(answer, language)
