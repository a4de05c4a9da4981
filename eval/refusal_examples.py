"""What the refusal and the reader see of questions with and without an answer (`eval.refusal_questions`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.ablation import locate_all
from eval.provenance import file_hash
from eval.public import documents_by_name, index_folder, open_corpus, write_texts
from eval.records import Place
from eval.refusal_questions import Ask, Part, Unseen
from index.corpus import Corpus
from index.embedder import Embedder, load_embedder
from index.settings import IndexSettings
from rag.assistant import load_reader
from rag.evidence import Evidence, Features, gather
from rag.question import analyse
from rag.reader.openvino_reader import Reader
from rag.retriever import CorpusRetriever
from rag.settings import RagSettings, reader_file


@dataclass(frozen=True, slots=True)
class Seen:
    """A window that the reader read: the logit of "answered", how far the best span stands above "no answer" (0 for
    a window without words), and whether the answer stands in it; None where that is not known."""

    logit: float
    over_none: float
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its features, with the reader and without.

    `stratum` says where it comes from, `fold` what it must not be split from, `asked_in` the question's language and
    `read_in` that of what it was asked of.
    """

    stratum: str
    fold: str
    answered: bool
    unread: Features
    read: Features
    asked_in: str
    read_in: str
    windows: tuple[Seen, ...] = ()


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


def collect(parts: Sequence[Part], work: Work, *, tell: Callable[[str], None]) -> list[Example]:
    """The examples of all parts; a part that an earlier run finished is taken from the work folder."""
    found: list[Example] = []
    for part in parts:
        path = work.folder / f"{part.name}.examples.json"
        key = _key(part, work)
        kept = _kept(path, key)
        if kept is None:
            kept = _asked(part, work, tell=tell)
            rows = [asdict(example) for example in kept]
            path.write_text(json.dumps({"key": key, "examples": rows}), encoding="utf-8")
        found += kept
        tell(f"{part.name}: {len(kept):,} questions")
    return found


def _key(part: Part, work: Work) -> str:
    """What a kept part must agree in to be used again."""
    said = json.dumps([work.embedder.name, work.reader_hash, [asdict(ask) for ask in part.asks]])
    return hashlib.sha256(said.encode()).hexdigest()


def _kept(path: Path, key: str) -> list[Example] | None:
    if not path.is_file():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content["key"] != key:
        return None
    return [
        Example(
            **{
                **row,
                "unread": Features(**row["unread"]),
                "read": Features(**row["read"]),
                "windows": tuple(Seen(**window) for window in row["windows"]),
            }
        )
        for row in content["examples"]
    ]


def _asked(part: Part, work: Work, *, tell: Callable[[str], None]) -> list[Example]:
    """Ask all questions of a part; one that nothing at all is found for makes no example."""
    found = []
    with work.corpus(part.index, part.texts) as corpus:
        ids = documents_by_name(corpus)
        cases = [ask.case for ask in part.asks if ask.case is not None and ask.answered]
        places = locate_all(corpus, part.articles, cases, lambda case: f"{case.article:02d}")
        retriever = CorpusRetriever(corpus, work.embedder, top_k=15)
        for number, ask in enumerate(part.asks, start=1):
            documents = None if ask.names is None else [ids[name] for name in ask.names if name in ids]
            if documents != []:
                place = places.get(ask.case.id) if ask.case is not None and ask.answered else None
                example = _example(ask, part, documents, place, retriever, corpus, work)
                found += [] if example is None else [example]
            if number % 100 == 0:
                tell(f"{part.name}: {number:,} of {len(part.asks):,}")
    return found


def _example(  # noqa: PLR0917 - one step of `_asked`
    ask: Ask,
    part: Part,
    documents: Sequence[str] | None,
    place: Place | None,
    retriever: CorpusRetriever,
    corpus: Corpus,
    work: Work,
) -> Example | None:
    question = analyse(ask.question)
    hits = retriever.hits(question, documents=documents)
    unread = gather(question, hits, corpus, work.embedder).features
    if unread is None:
        return None
    read, windows = unread, tuple[Seen, ...]()
    if work.reader is not None:
        evidence = gather(question, hits, corpus, work.embedder, reader=work.reader)
        read, windows = evidence.features or unread, _windows(evidence, ask, place)
    return Example(
        ask.stratum, ask.fold, ask.answered, unread, read, ask.asked_in, part.language, windows=windows
    )


def _windows(evidence: Evidence, ask: Ask, place: Place | None) -> tuple[Seen, ...]:
    found = []
    for each in evidence.reads:
        window, reading = each.window, each.reading
        holds = None if ask.answered else False
        if place is not None:
            holds = place.meets(window.document_id, window.start, window.end)
        found.append(Seen(reading.logit, reading.over_none or 0.0, holds))
    return tuple(found)
