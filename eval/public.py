"""Public data as indexes: texts are written as files, read and indexed by the same code as any document."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from eval.records import Place
from eval.squad import SEPARATOR, Article, Case
from index.catalogue import Catalogue
from index.corpus import Corpus
from index.embedder import Embedder
from index.indexer import Indexer, Progress, Summary, manifest_for
from index.language.detection import detect
from index.normalise import normalise
from index.settings import IndexSettings
from index.types import UNDETERMINED, Document, Sentence

# So many texts of a file, spread over it, tell its language.
_LANGUAGE_SAMPLE = 60


def write_texts(folder: Path, texts: Mapping[str, str], *, alone: bool = False) -> None:
    """Write each text to `folder`/name.txt; `alone`: remove what other texts are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if alone:
        for path in folder.glob("*.txt"):
            if path.stem not in texts:
                path.unlink()
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8", errors="replace")


def index_folder(
    folder: Path,
    data_dir: Path,
    embedder: Embedder,
    settings: IndexSettings,
    *,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Make the index in `data_dir` equal to `folder`; a finished one costs a hash a file."""
    own = settings.model_copy(update={"data_dir": data_dir, "database_url": None})
    with Catalogue.open(data_dir, create=True) as catalogue:
        return Indexer(catalogue, embedder, own).run([folder], progress=progress)


@contextmanager
def open_corpus(data_dir: Path, embedder: Embedder, settings: IndexSettings) -> Iterator[Corpus]:
    """The corpus of an index that `index_folder` made."""
    own = settings.model_copy(update={"data_dir": data_dir, "database_url": None})
    with Corpus.open(own, manifest_expected=manifest_for(embedder, own)) as corpus:
        yield corpus


@dataclass(frozen=True, slots=True)
class Indexed:
    """An index of texts: `settings` open it; `documents` are its documents by the names of their texts.

    A text that no document was made of, because it is empty or says the same as another, is not in `documents`.
    """

    settings: IndexSettings
    documents: Mapping[str, Document]


def index_texts(
    name: str,
    texts: Mapping[str, str],
    *,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    progress: Callable[[int, int], None],
) -> Indexed:
    """An index of exactly these texts under `work`; a second call with the same texts embeds nothing.

    Args:
        name: of the index; the folders of texts and index are named after it.
        texts: file name without ending -> text.
        settings: how to index; its data directory lends the model.
        progress: called with the files done and in all, of those that must be read.
    """
    folder, data_dir = work / name, work / f"{name}.index"
    write_texts(folder, {key: text for key, text in texts.items() if text.strip()}, alone=True)
    lend_models(settings.data_dir, data_dir)
    # Servers would be shared with the documents of the user.
    own = settings.model_copy(update={"data_dir": data_dir, "chroma_url": None, "database_url": None})
    index_folder(
        folder, data_dir, embedder, own, progress=lambda now: progress(now.files_done, now.files_total)
    )
    with open_corpus(data_dir, embedder, own) as corpus:
        ids = documents_by_name(corpus)
        found = {key: corpus.document(id_) for key, id_ in ids.items()}
    return Indexed(own, {key: document for key, document in found.items() if document is not None})


def lend_models(lender: Path, data_dir: Path) -> None:
    """Let `data_dir` use the models of `lender`, which are large; where it cannot, its own will be made."""
    models, link = (lender / "models").resolve(), data_dir / "models"
    data_dir.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():  # it may lead to where they were before
        link.unlink()
    if models.is_dir():
        with contextlib.suppress(OSError):  # a folder is there already, or the file system knows no links
            link.symlink_to(models, target_is_directory=True)


def locate(case: Case, article: Article, document: Document) -> Place | None:
    """Find a case's answer in the document made of its article; None where reading changed the words around it."""
    before_it = article.text.rfind(SEPARATOR, 0, case.start)
    paragraph_start = 0 if before_it < 0 else before_it + len(SEPARATOR)
    paragraph = normalise(article.text[paragraph_start:].split(SEPARATOR, 1)[0])
    # Behind the mark, spaces at the end of what comes before stay.
    before = normalise(article.text[paragraph_start : case.start] + "|")[:-1]
    answer = normalise(article.text[case.start : case.end])
    found = document.text.find(paragraph.strip())
    if found < 0 or not answer:
        return None
    start = found + len(before) - (len(paragraph) - len(paragraph.lstrip()))
    if not document.text.startswith(answer, start):
        return None
    return Place(document.id, document.language, start, start + len(answer))


def documents_by_name(corpus: Corpus) -> dict[str, str]:
    """Document ids by file name without its ending."""
    return {Path(info.path).stem: info.id for info in corpus.documents()}


def sentences_at(sentences: Sequence[Sentence], place: Place) -> set[str]:
    """The ids of the sentences that overlap a place."""
    return {s.id for s in sentences if place.meets(s.document_id, s.start, s.end)}


def language_of(texts: Sequence[str]) -> str:
    """The language that most of the texts are in, each by itself; `und` when none can be told."""
    spread = texts[:: max(1, len(texts) // _LANGUAGE_SAMPLE)]
    found = Counter(code for code in map(detect, spread) if code != UNDETERMINED)
    return found.most_common(1)[0][0] if found else UNDETERMINED


def locate_all(
    corpus: Corpus, articles: Sequence[Article], cases: Iterable[Case], name: Callable[[Case], str]
) -> dict[str, Place]:
    """Where the answers of the cases stand in the indexed texts; `name` gives a case's file name."""
    ids = documents_by_name(corpus)
    documents = {key: corpus.document(id_) for key, id_ in ids.items()}
    found = {}
    for case in cases:
        document = documents.get(name(case))
        gold = locate(case, articles[case.article], document) if document else None
        if gold:
            found[case.id] = gold
    return found
