"""From cases and documents to records: indexes what is to be searched, opens the assistant on it, asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from eval import cases, provenance
from eval.public import lend_models
from eval.records import Case, Record, Task
from eval.run import run
from eval.suites import Suite
from eval.target import InProcess, Target
from index.corpus import Corpus
from index.embedder import Embedder
from index.errors import UsageError
from index.indexer import manifest_for
from index.ownership import own
from index.settings import IndexSettings
from index.types import Document
from index.upkeep import make_index
from rag.assistant import Assistant
from rag.settings import RagSettings

THRESHOLDS = Path(__file__).with_name("thresholds.toml")
BASELINE = Path(__file__).with_name("baseline.json")

Progress = Callable[[int, int], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """What was asked and what came back, with everything that could move a score."""

    title: str
    settings: Mapping[str, str]
    records: tuple[Record, ...]


def work_folder(settings: RagSettings) -> Path:
    """Where indexes that only the evaluation searches are kept between runs."""
    return settings.index.data_dir / "eval"


@contextmanager
def shipped(settings: RagSettings, embedder: Embedder, folder: Path) -> Iterator[Target]:
    """The assistant over the files of a folder, in an index of its own below the data directory.

    Raises:
        IndexBusy: another evaluation is using that index.
        UsageError: the folder is missing or holds nothing that can be read.
    """
    name = provenance.sha256([str(folder.resolve())])[:12]
    # A shared catalogue is that of the documents of the users.
    own_settings = settings.index.model_copy(
        update={"data_dir": work_folder(settings) / name, "database_url": None}
    )
    own_settings.data_dir.mkdir(parents=True, exist_ok=True)
    with own(own_settings.data_dir, purpose="rag eval"):
        lend_models(settings.index.data_dir, own_settings.data_dir)
        summary = make_index(own_settings, [folder], embedder=embedder)
        if summary.failed:
            log.warning("%s: some files were skipped; `rag index %s` says why", folder, folder)
        if not summary.documents:
            raise UsageError(f"{folder} holds no document that can be read: there is nothing to ask about")
        with opened(settings, own_settings, embedder) as target:
            yield target


@contextmanager
def opened(settings: RagSettings, index: IndexSettings, embedder: Embedder) -> Iterator[Target]:
    """The assistant over an index that is there."""
    whole = settings.model_copy(update={"index": index})
    with Assistant(
        Corpus.open(index, manifest_expected=manifest_for(embedder, index)), embedder, whole
    ) as assistant:
        yield InProcess(assistant, provenance=provenance.of_assistant(whole, assistant.corpus))


def gold(
    target: Target,
    asked: Sequence[Case],
    *,
    title: str,
    engine: str | None = None,
    seed: int = 0,
    progress: Progress = lambda done, total: None,
) -> Done:
    """Ask cases of a target, after checking each of them against its documents.

    Raises:
        UsageError: a case does not fit the documents; the text names file and line.
    """
    documents = target.documents()
    faults = cases.check_cases(asked, documents)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise UsageError(f"{faults[0]}{more}")
    tasks = cases.tasks(asked, documents)
    records = run(target, tasks, engine=engine, progress=progress)
    return _done(title, [(target.provenance(), documents, tasks)], records, seed=seed, engine=engine)


def public(
    suites: Iterable[Suite],
    settings: RagSettings,
    embedder: Embedder,
    *,
    title: str,
    engine: str | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Done:
    """Ask every suite of its own index; a stopped run goes on where it was.

    Args:
        progress: called with the suite's title, its tasks done and in all.
    """
    parts, records = [], []
    files: dict[str, str] = {}
    for suite in suites:
        files |= {f"file.{name}": digest for name, digest in suite.data_hashes.items()}
        for reason, count in suite.left_out.items():
            log.info("%s: %d left out: %s", suite.title, count, reason)
        with opened(settings, suite.index_settings, embedder) as target:
            journal = suite.index_settings.data_dir / f"{provenance.sha256([suite.title])[:12]}.jsonl"
            records += run(
                target,
                suite.tasks,
                engine=engine,
                journal=journal,
                progress=lambda done, total, what=suite.title: progress(what, done, total),  # type: ignore[misc]
            )
            parts.append((target.provenance(), target.documents(), suite.tasks))
    if not records:
        raise UsageError("the files hold no question to ask")
    done = _done(title, parts, records, seed=seed, engine=engine)
    return replace(done, settings={**done.settings, **files})


def _done(
    title: str,
    parts: Sequence[tuple[Mapping[str, str], Sequence[Document], Sequence[Task]]],
    records: Sequence[Record],
    *,
    seed: int,
    engine: str | None,
) -> Done:
    documents = [document for _, found, _ in parts for document in found]
    tasks = [task for _, _, asked in parts for task in asked]
    settings = {
        **parts[0][0],
        **provenance.of_run(documents, tasks, seed=seed, engine=engine),
    }
    return Done(title, settings, tuple(records))
