"""What the reader learns from: passages in several languages and what is asked about them.

A folder is read with all its subfolders. `NAME.LL.json` is a SQuAD file (1.1 or 2.0) in the language LL; files that
share question ids are translations of each other and become one passage with several contexts. `*.jsonl` holds
questions that are not answered: either with `context_LL` fields, or with `passages` that were judged not to answer
(`answerable` false). Lines where it is true do not tell the span: of these only the passages are kept, as plain text.
`*.jsonl.gz` that a table names as parallel (`sources.toml`) are questions about the same articles, joined by their ids.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from index.errors import UsageError

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: code points of a context, end excluded."""

    start: int
    end: int


@dataclass(slots=True)
class ParallelQuestion:
    """One question: its wording by language, and where it is answered by language of the context.

    `answers` is empty for a question that its passage does not answer; `also` are other places that answer as well.
    """

    id: str
    texts: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Place] = field(default_factory=dict)
    also: dict[str, tuple[Place, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Paragraph:
    """A paragraph by language, with the questions that were asked about it, by id."""

    article: str
    contexts: dict[str, str] = field(default_factory=dict)
    asks: dict[str, ParallelQuestion] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question and passages of its language of which none answers it."""

    question: str
    language: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """Passages of one language and about one subject, without questions."""

    language: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All passages, the judged questions, plain texts, and the SHA-256 of each file read, by its path in the folder."""

    passages: tuple[Paragraph, ...]
    unanswered: tuple[Unanswered, ...]
    texts: tuple[Texts, ...]
    hashes: Mapping[str, str]

    def fold(self, number: int, *, inside: bool) -> Corpus:
        """The part whose articles are in fold `number` of FOLDS, or all but that part.

        Articles are dealt out in the order of their titles, so that no article is in two folds; judged questions in
        the order of their files, plain texts likewise.
        """
        titles = sorted({passage.article for passage in self.passages})
        chosen = {title for place, title in enumerate(titles) if place % FOLDS == number}
        return Corpus(
            passages=tuple(p for p in self.passages if (p.article in chosen) == inside),
            unanswered=tuple(
                u for place, u in enumerate(self.unanswered) if (place % FOLDS == number) == inside
            ),
            texts=tuple(t for place, t in enumerate(self.texts) if (place % FOLDS == number) == inside),
            hashes=self.hashes,
        )

    def fewer(self, articles: int) -> Corpus:
        """The part about `articles` of the articles, evenly spaced by title; what belongs to no article stays."""
        titles = sorted({passage.article for passage in self.passages})
        articles = min(articles, len(titles))
        chosen = {titles[place * len(titles) // articles] for place in range(articles)}
        return replace(self, passages=tuple(p for p in self.passages if p.article in chosen))


def read_corpus(folder: Path, *, parallel: Mapping[str, str] | None = None) -> Corpus:
    """Everything in `folder` that can be learnt from.

    Args:
        folder: read with its subfolders.
        parallel: the language of each file `NAME.jsonl.gz` that is joined with SQuAD files, by NAME; others of that
            kind are left alone.

    Raises:
        UsageError: there is no SQuAD file, or one of the files is malformed.
    """
    merged = _Merged()
    hashes = {}
    paths = [p for p in sorted(folder.rglob("*.json*")) if p.suffix in {".json", ".jsonl"}]
    for path in sorted(paths, key=lambda p: (p.suffix, p)):  # SQuAD files first: the others refer to them
        content = path.read_bytes()
        try:
            if path.suffix == ".json":
                merged.add_squad(json.loads(content)["data"], path.suffixes[-2].removeprefix("."))
            else:
                merged.add_lines([json.loads(line) for line in content.decode("utf-8").splitlines()])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise UsageError(
                f"{path} is not a file that the reader can learn from ({type(error).__name__}: {error}); "
                "give a folder of SQuAD files named like xquad.en.json"
            ) from error
        hashes[path.relative_to(folder).as_posix()] = hashlib.sha256(content).hexdigest()
    for path in sorted(folder.rglob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if language := (parallel or {}).get(name):
            merged.add_items(read_lines(path), language)
            hashes[path.relative_to(folder).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    if not merged.passages:
        raise UsageError(f"{folder} holds no SQuAD file named like xquad.en.json: give a folder that does")
    return Corpus(
        passages=tuple(merged.passages),
        unanswered=tuple(merged.unanswered),
        texts=tuple(merged.texts),
        hashes=hashes,
    )


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a gzip'ed file of JSON lines.

    Raises:
        UsageError: the file is damaged.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, EOFError, ValueError) as error:
        raise UsageError(f"{path} is no gzip'ed file of JSON lines ({error})") from error


class _Merged:
    """Passages while files are added to them."""

    def __init__(self) -> None:
        self.passages: list[Paragraph] = []
        self.unanswered: list[Unanswered] = []
        self.texts: list[Texts] = []
        self._by_question: dict[str, Paragraph] = {}
        self._by_context: dict[str, Paragraph] = {}

    def add_squad(self, data: list[dict[str, Any]], language: str) -> None:
        for article in data:
            for paragraph in article["paragraphs"]:
                if paragraph["context"]:  # a translation may lack one
                    self._add_paragraph(paragraph, article.get("title") or "", language)

    def add_lines(self, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            texts = tuple(str(passage["text"]) for passage in line.get("passages", ()))
            if line.get("answerable", True):
                if texts:
                    self.texts.append(Texts(str(line["lang"]), texts))
                continue
            if texts:
                self.unanswered.append(Unanswered(str(line["question"]), str(line["lang"]), texts))
                continue
            contexts = {key.removeprefix("context_"): text for key, text in _contexts(line)}
            passage = self._find([], list(contexts.values()), str(line.get("title", "")))
            passage.asks.setdefault(line["id"], ParallelQuestion(line["id"])).texts.update(line["question"])
            for language, text in contexts.items():
                self._by_context[passage.contexts.setdefault(language, text)] = passage

    def add_items(self, lines: list[dict[str, Any]], language: str) -> None:
        """Lines of one file of questions, about texts that SQuAD files may hold too."""
        paragraphs: dict[str, dict[str, Any]] = {}
        for line in lines:
            context = line["context"].replace("\n", " ")
            known = paragraphs.setdefault(context, {"context": context, "title": line["title"], "qas": []})
            answers = [{"text": a["text"], "answer_start": a["start"]} for a in line["answers"]]
            known["qas"].append(
                {
                    "id": line["id"].rpartition(":")[2],
                    "question": line["question"],
                    "answers": answers,
                    "is_impossible": line["impossible"],
                }
            )
        for paragraph in paragraphs.values():
            self._add_paragraph(paragraph, paragraph["title"], language)

    def _add_paragraph(self, paragraph: dict[str, Any], title: str, language: str) -> None:
        context = str(paragraph["context"])
        ids = [entry["id"] for entry in paragraph["qas"]]
        passage = self._find(ids, [context], title)
        context = passage.contexts.setdefault(language, context)
        self._by_context[context] = passage
        for entry in paragraph["qas"]:
            ask = passage.asks.setdefault(entry["id"], ParallelQuestion(entry["id"]))
            ask.texts.setdefault(language, entry["question"].strip())
            self._by_question[entry["id"]] = passage
            if not entry.get("is_impossible") and entry["answers"]:
                places = [_place(context, answer) for answer in entry["answers"]]
                known = [place for place in dict.fromkeys(places) if place is not None]
                if known and language not in ask.answers:
                    ask.answers[language], ask.also[language] = known[0], tuple(known[1:])

    def _find(self, ids: list[str], contexts: list[str], title: str) -> Paragraph:
        for known, keys in ((self._by_question, ids), (self._by_context, contexts)):
            for key in keys:
                if key in known:
                    return known[key]
        self.passages.append(Paragraph(article=title))
        return self.passages[-1]


def _contexts(line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, text in line.items():
        if key.startswith("context_") and text:
            yield key, str(text)


def _place(context: str, answer: Mapping[str, Any]) -> Place | None:
    """Where an answer stands; looked for when the file's offset is wrong, None when it is not there once."""
    text, start = str(answer["text"]), int(answer["answer_start"])
    if context[start : start + len(text)] != text:
        if not text or context.count(text) != 1:
            return None
        start = context.index(text)
    while text[:1].isspace():
        text, start = text[1:], start + 1
    text = text.rstrip()
    return Place(start, start + len(text)) if text else None
