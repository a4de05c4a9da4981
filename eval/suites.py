"""Public data as suites: an index, and the tasks to ask of it.

Files in SQuAD format make one suite for each file of contexts, or one over all of them; NoMIRACL and SweFAQ make one
each. What is indexed is kept below a work folder: a second call with the same files embeds nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from eval.nomiracl import passage_texts, passages_task, read_nomiracl
from eval.provenance import file_hash
from eval.public import Indexed, index_texts, language_of
from eval.records import Task
from eval.squad import SquadFile
from eval.squad_tasks import SquadSet, askable
from eval.swefaq import faq_task, pages, read_swefaq
from index.embedder import Embedder
from index.errors import UsageError
from index.settings import IndexSettings
from index.types import Document

Progress = Callable[[str, int, int], None]
"""What is being done, how many are done, of how many."""

UNPLACED = "questions whose answer is not in the indexed documents as it stood in the file"
UNINDEXED = "passages that no document could be made of"

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Suite:
    """Tasks, and the index that they are to be asked of.

    Attributes:
        index_settings: open the index; their `data_dir` holds it.
        data_hashes: file name -> SHA-256, of every file that was read.
        left_out: reason -> how many paragraphs, passages or questions of the files are not in it for that reason.
            What a limit leaves out is not counted.
    """

    title: str
    index_settings: IndexSettings
    tasks: tuple[Task, ...]
    data_hashes: Mapping[str, str]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where and with what the indexes of suites are made."""

    work: Path
    embedder: Embedder
    settings: IndexSettings
    progress: Progress

    def index(self, kind: str, title: str, texts: Mapping[str, str], files: Sequence[Path]) -> Indexed:
        """The index of texts that come from `files`, in a folder of its own for these contents of the files."""
        key = hashlib.sha256(" ".join(sorted(file_hash(path) for path in files)).encode()).hexdigest()[:12]
        return index_texts(
            f"{kind}-{key}",
            texts,
            work=self.work,
            embedder=self.embedder,
            settings=self.settings,
            progress=lambda done, total: self.progress(f"indexing {title}", done, total),
        )


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


def squad_suites(
    contexts: Sequence[Path],
    questions: Sequence[Path],
    *,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> Iterator[Suite]:
    """A suite for each file of contexts, asked with the questions of every file that shares ids with it.

    The documents are the articles. Questions that the contexts file marks as impossible are of stratum "unanswered".
    Languages are told from the files' contents. A right answer may be the contexts file's or the questions file's.

    Args:
        contexts, questions: files in SQuAD format; a file may be in both.
        work: keeps the indexes.
        limit: questions for each pair of files, the same ones for every pair as far as they hold them; None: all.
        seed: of the sample that the limit draws.

    Raises:
        UsageError: a file is not in the format or empty, shares no question with the others, or two files of one
            language share questions; or `limit` is below 1.
    """
    squad = SquadSet.read(contexts, questions)
    pairs = {(over.path, by.path): askable(over, by) for over in squad.contexts for by in squad.questions}
    chosen = sample(pairs, limit=limit, seed=seed)
    _refuse_repeated(
        squad.pair_id(id_, by, over)
        for over in squad.contexts
        for by in squad.questions
        for id_ in chosen[over.path, by.path]
    )
    shop = Workshop(work, embedder, settings, progress)
    return (
        _over_one(shop, squad, over, {by.path: chosen[over.path, by.path] for by in squad.questions})
        for over in squad.contexts
    )


def _over_one(
    shop: Workshop, squad: SquadSet, over: SquadFile, chosen: Mapping[Path, Sequence[str]]
) -> Suite:
    documents, index = _articles(shop, "squad", squad, [over])
    asking = [by for by in squad.questions if chosen[by.path]]
    tasks = [squad.pair_task(id_, by, over, documents) for by in asking for id_ in chosen[by.path]]
    asked_in = ", ".join(dict.fromkeys(squad.question_language[by.path] for by in asking))
    title = f"{asked_in} asked of {over.path.name} ({squad.context_language[over.path]})"
    paths = [over.path, *(by.path for by in asking)]
    return _suite(title, index, tasks, paths, over.left_out)


def squad_pool(
    contexts: Sequence[Path],
    questions: Sequence[Path],
    *,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> Suite:
    """One suite over all files of contexts in one index, otherwise as `squad_suites`.

    A question's answer stands in every language whose file holds it, and any of these places is right. Nothing tells
    the index that these documents are versions of one: what comes first shows the bias between languages. A question
    is impossible when every contexts file that holds it says so.
    """
    squad = SquadSet.read(contexts, questions)
    askable_of_any = {
        by.path: frozenset[str]().union(*(askable(over, by) for over in squad.contexts))
        for by in squad.questions
    }
    chosen = sample(askable_of_any, limit=limit, seed=seed)
    _refuse_repeated(squad.pool_id(id_, by) for by in squad.questions for id_ in chosen[by.path])
    shop = Workshop(work, embedder, settings, progress)
    documents, index = _articles(shop, "pool", squad, squad.contexts)
    tasks = [squad.pool_task(id_, by, documents) for by in squad.questions for id_ in chosen[by.path]]
    languages = dict.fromkeys(squad.context_language[over.path] for over in squad.contexts)
    paths = [file.path for file in (*squad.contexts, *squad.questions)]
    left_out = sum((Counter(over.left_out) for over in squad.contexts), Counter[str]())
    return _suite(f"all of {', '.join(languages)} in one index", index, tasks, paths, left_out)


def _articles(
    shop: Workshop, kind: str, squad: SquadSet, files: Sequence[SquadFile]
) -> tuple[dict[tuple[Path, int], Document], IndexSettings]:
    """The articles of files as documents of one index, by file and number, and what opens it."""
    names = squad.document_names(files)
    texts = {names[file.path, n]: article.text for file in files for n, article in enumerate(file.articles)}
    title = ", ".join(file.path.name for file in files)
    indexed = shop.index(kind, title, texts, [file.path for file in files])
    found = {key: indexed.documents[name] for key, name in names.items() if name in indexed.documents}
    return found, indexed.settings


def nomiracl_suite(
    files: Sequence[Path],
    *,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> Suite:
    """A suite in which each question looks only into its own passages, each a document.

    Which passage answers is not in the files, so any of them counts as the place of an answerable question, and what
    is to be found is not known: such a suite measures refusal. The others are of stratum "unanswered".

    Args:
        limit: questions of each file; None: all.

    Raises:
        UsageError: a file is not in the format or empty, two questions have one id, or `limit` is below 1.
    """
    if not files:
        raise UsageError("give at least one NoMIRACL file")
    found = {path: {case.id: case for case in read_nomiracl(path)} for path in dict.fromkeys(files)}
    # Each file by itself: they hold different questions.
    chosen = [
        cases[id_] for cases in found.values() for id_ in sample({"": cases}, limit=limit, seed=seed)[""]
    ]
    _refuse_repeated(f"{case.id}.{case.language}" for case in chosen)
    texts = {f"{case.language}-{name}": text for case in chosen for name, text in passage_texts(case).items()}
    shop = Workshop(work, embedder, settings, progress)
    indexed = shop.index("nomiracl", "passages", texts, list(found))
    # A passage that two questions have is one document, under one of its names.
    documents = {texts[name]: document for name, document in indexed.documents.items()}
    tasks = [passages_task(case, documents) for case in chosen]
    languages = dict.fromkeys(case.language for case in chosen)
    title = f"NoMIRACL in {', '.join(languages)}, each question over its own passages"
    return _suite(
        title, indexed.settings, tasks, list(found), {UNINDEXED: len(set(texts.values()) - documents.keys())}
    )


def swefaq_suite(
    file: Path,
    *,
    work: Path,
    embedder: Embedder,
    settings: IndexSettings,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = _silent,
) -> Suite:
    """A suite of questions that are explained rather than answered in a word, over pages of questions and answers.

    Each page is a document: the answers on it, without their questions. The place is the whole right answer; its
    first sentence is expected.

    Args:
        limit: questions; None: all.

    Raises:
        UsageError: the file is not in the format or empty, or `limit` is below 1.
    """
    cases = {str(case.line): case for case in read_swefaq(file)}
    chosen = sample({"": cases}, limit=limit, seed=seed)[""]
    found = pages(list(cases.values()))
    shop = Workshop(work, embedder, settings, progress)
    indexed = shop.index("swefaq", file.name, {page.name: page.text for page in found.values()}, [file])
    language = language_of([case.question for case in cases.values()])
    tasks = [
        faq_task(case, found[case.url], indexed.documents.get(found[case.url].name), language=language)
        for case in (cases[line] for line in sorted(chosen, key=int))
    ]
    return _suite(f"questions of {file.name} over their pages", indexed.settings, tasks, [file], {})


def sample(
    askable: Mapping[Key, Collection[str]], *, limit: int | None, seed: int
) -> dict[Key, tuple[str, ...]]:
    """Of each collection of ids at most `limit`, sorted; ids that most collections hold are taken first.

    Collections with enough ids in common get the same ones. The same ids and seed give the same sample everywhere.

    Raises:
        UsageError: `limit` is below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"the limit must be at least 1 question, not {limit}")
    held = Counter(id_ for ids in askable.values() for id_ in ids)

    def rank(id_: str) -> tuple[int, str]:
        return -held[id_], hashlib.sha256(f"{seed} {id_}".encode()).hexdigest()

    return {key: tuple(sorted(sorted(ids, key=rank)[:limit])) for key, ids in askable.items()}


def _hashes(paths: Sequence[Path]) -> dict[str, str]:
    """Hashes by file name; files of one name in several folders are told apart by their paths."""
    paths = list(dict.fromkeys(paths))
    names = Counter(path.name for path in paths)
    return {path.name if names[path.name] == 1 else str(path): file_hash(path) for path in paths}


def _suite(
    title: str,
    index_settings: IndexSettings,
    tasks: Sequence[Task | None],
    files: Sequence[Path],
    left_out: Mapping[str, int],
) -> Suite:
    """The suite of the tasks that are there; the others are counted with what else was left out."""
    kept = tuple(task for task in tasks if task is not None)
    counts = Counter(left_out) + Counter({UNPLACED: len(tasks) - len(kept)})
    return Suite(title, index_settings, kept, _hashes(files), dict(counts))


def _refuse_repeated(ids: Iterable[str]) -> None:
    repeated = next((id_ for id_, times in Counter(ids).items() if times > 1), None)
    if repeated is not None:
        raise UsageError(
            f"two files hold the question {repeated} in the same language: evaluate them one after the other"
        )
