"""Public data as indexes: texts are written as files, read and indexed by the same code as any document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eval.squad import SEPARATOR, Article, Case
from index.catalogue import Catalogue
from index.corpus import Corpus
from index.embedder import Embedder
from index.errors import UsageError
from index.indexer import Indexer, Summary, manifest_for
from index.normalise import normalise
from index.settings import IndexSettings
from index.types import Sentence


@dataclass(frozen=True, slots=True)
class Gold:
    """Where a case's answer stands in the indexed text: code points of its document."""

    document_id: str
    start: int
    end: int

    def holds(self, document_id: str, start: int, end: int) -> bool:
        """Whether a span of a document overlaps the answer."""
        return document_id == self.document_id and start < self.end and self.start < end


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write each text to `folder`/name.txt."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def index_folder(folder: Path, data_dir: Path, embedder: Embedder, settings: IndexSettings) -> Summary:
    """Make the index in `data_dir` equal to `folder`; a finished one costs a hash a file."""
    own = settings.model_copy(update={"data_dir": data_dir})
    with Catalogue.open(data_dir, create=True) as catalogue:
        return Indexer(catalogue, embedder, own).run([folder])


@contextmanager
def open_corpus(data_dir: Path, embedder: Embedder, settings: IndexSettings) -> Iterator[Corpus]:
    """The corpus of an index that `index_folder` made."""
    own = settings.model_copy(update={"data_dir": data_dir})
    with Corpus.open(own, manifest_expected=manifest_for(embedder, own)) as corpus:
        yield corpus


def locate(case: Case, article: Article, text: str, document_id: str) -> Gold | None:
    """Find a case's answer in the text as indexed; None where reading changed the words around it."""
    paragraph_start = article.text.rfind(SEPARATOR, 0, case.start) + len(SEPARATOR)
    if article.text.rfind(SEPARATOR, 0, case.start) < 0:
        paragraph_start = 0
    before = normalise(article.text[paragraph_start : case.start] + "|")[:-1]
    answer = normalise(article.text[case.start : case.end])
    paragraph = normalise(article.text[paragraph_start:].split(SEPARATOR, 1)[0]).strip()
    found = text.find(paragraph)
    if found < 0 or not answer:
        return None
    start = found + len(before)
    if text[start : start + len(answer)] != answer:
        return None
    return Gold(document_id, start, start + len(answer))


def documents_by_name(corpus: Corpus) -> dict[str, str]:
    """Document ids by file name without its ending."""
    return {Path(info.path).stem: info.id for info in corpus.documents()}


def gold_sentences(sentences: Sequence[Sentence], gold: Gold) -> set[str]:
    """The ids of the sentences that overlap the answer."""
    return {s.id for s in sentences if gold.holds(s.document_id, s.start, s.end)}


@dataclass(frozen=True, slots=True)
class PassageCase:
    """A question with its own passages (id -> text); `answerable`: whether one of them answers it."""

    id: str
    language: str
    question: str
    answerable: bool
    passages: Mapping[str, str]


def read_nomiracl(path: Path) -> list[PassageCase]:
    """The questions of a NoMIRACL file.

    Raises:
        UsageError: the file is missing or a line is malformed; the text names the line.
    """
    cases = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            cases.append(
                PassageCase(
                    id=row["id"],
                    language=row["lang"],
                    question=row["question"],
                    answerable=bool(row["answerable"]),
                    passages={p["docid"]: p["text"] for p in row["passages"]},
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path}:{number} is not a NoMIRACL line ({error})") from error
    return cases
