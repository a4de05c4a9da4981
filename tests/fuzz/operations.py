"""What `tests.fuzz.kill` cuts short: indexing, a change of folder or model, uploads, deletions; what must hold after.

Each operation has a state to begin with, a run that says what it acknowledges, a next run that completes what was cut
short, and the checks: right after the kill (nothing half, nothing acknowledged lost) and at the end (everything as in
an index that was never disturbed).
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index import indexer
from index.catalogue import Catalogue
from index.corpus import Corpus
from index.indexer import Summary
from index.intake import Intake
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index, vector_faults
from index.vectors import pointer
from rag.asking import Ask
from rag.assistant import Assistant
from rag.settings import RagSettings
from tests.digest import DigestEmbedder, settings_for

Say = Callable[[str], None]

NAMES = (
    "Morrowick",
    "Tellmouth",
    "Harnby",
    "Oxmere",
    "Quillan",
    "Brundle",
    "Castor",
    "Dunleith",
    "Eskdale",
    "Fenwick",
)
THINGS = ("lighthouse", "bridge", "library", "market", "school", "harbour")
# A run over so little text is to commit several times.
assert indexer._GROUP_CHARACTERS > indexer._FIRST_CHARACTERS > 2_000
indexer._GROUP_CHARACTERS = indexer._FIRST_CHARACTERS = 2_000

_UPLOADS = 3  # files of a job
_JOBS = 2
_DELETED = 3


def text_of(number: int, *, edition: int = 1) -> str:
    """A document of about 700 characters with a fact of its own."""
    draw = random.Random(1000 * edition + number)
    name, thing = NAMES[number % len(NAMES)], THINGS[number % len(THINGS)]
    count = 100 * edition + 7 * number
    said = [f"The {thing} of {name} has {count} lamps and was built in {1700 + 3 * number}."]
    said += [
        f"Report {number} of edition {edition} counts {draw.randrange(10**6)} visitors from {draw.choice(NAMES)} "
        f"at the {draw.choice(THINGS)}."
        for _ in range(6)
    ]
    return " ".join(said)


QUESTIONS = [
    f"How many lamps does the {THINGS[i % 6]} of {NAMES[i % 10]} have?" for i in (0, 1, 3, 6, 11, 14)
]


class Place:
    """A folder of documents and a data directory, always at the same path: the catalogue knows its folders by it."""

    def __init__(self, root: Path) -> None:
        self.docs = root / "docs"
        self.other = root / "other"
        self.settings = settings_for(root / "data", seeds_dir=self.docs)

    def write(self, numbers: Sequence[int], *, edition: int = 1, folder: Path | None = None) -> None:
        """Write documents, into `docs` unless told otherwise."""
        folder = folder or self.docs
        folder.mkdir(parents=True, exist_ok=True)
        for number in numbers:
            (folder / f"{number:02}.txt").write_text(text_of(number, edition=edition), "utf-8")

    def index(
        self,
        *,
        revision: str = "1",
        share: float = 0.0,
        say: Say | None = None,
        folders: Sequence[Path] | None = None,
    ) -> Summary:
        """Make the index equal to the folders, as `rag index` does; `say` hears "writing" once vectors are written."""
        settings = self.settings.model_copy(update={"chroma_rebuild_share": share})
        return make_index(
            settings,
            default_folders(settings) if folders is None else folders,
            writing=None if say is None else lambda *_: say("writing"),
            embedder=DigestEmbedder(revision=revision),
        )

    def intake(self) -> Intake:
        """Open the intake; its vectors are not rebuilt, which would only take time here."""
        return Intake(self.settings.model_copy(update={"chroma_rebuild_share": 1.0}), DigestEmbedder())

    def upload(self, job: int) -> list[tuple[str, Any]]:
        """The files of a job."""
        numbers = range(20 + job * _UPLOADS, 20 + (job + 1) * _UPLOADS)
        return [(f"{number}.txt", io.BytesIO(text_of(number).encode())) for number in numbers]


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of work that is cut short.

    Attributes:
        prepare: makes the state before.
        run: does the work and says, a line each, what it acknowledges.
        complete: the next run.
        kept: what is wrong right after the kill, given the lines that were heard.
        revisions: of the embedders whose index may be live right after the kill; the last one is at the end.
        writes_vectors: whether a run ends with a new version of the vectors.
    """

    prepare: Callable[[Place], None]
    run: Callable[[Place, Say], None]
    complete: Callable[[Place], None]
    kept: Callable[[Place, Sequence[str]], list[str]]
    revisions: tuple[str, ...] = ("1",)
    writes_vectors: bool = False


# -- what must hold


def stored(settings: IndexSettings) -> dict[str, str]:
    """Path -> everything that is stored of a document, as text; raises when the catalogue is not whole."""
    with Catalogue.open(settings.data_dir) as catalogue:
        faults = catalogue.check()
    if faults:
        raise AssertionError(f"the catalogue is damaged: {faults}")
    found = {}
    with Corpus.open(settings, manifest_expected=None) as corpus:
        for info in corpus.documents():
            chunks = [chunk.id for chunk in corpus.chunks_of(info.id)]
            sentences = [sentence.id for sentence in corpus.sentences_of(info.id)]
            vectors = [row.tobytes().hex() for _, row in sorted(corpus.chunk_vectors(chunks).items())]
            vectors.append(corpus.sentence_vectors(info.id).tobytes().hex())
            found[f"{info.folder}/{info.path}"] = json.dumps([info.id, chunks, sentences, vectors])
    return found


def answers(settings: IndexSettings) -> list[str]:
    """The answers to all questions, as the index of the data directory gives them, and some searches."""
    rag = RagSettings(index=settings, reader_model="off", refusal_threshold=0.0, _env_file=None)
    with Corpus.open(settings, manifest_expected=None) as corpus:
        embedder = DigestEmbedder(revision=corpus.manifest.revision)
        assistant = Assistant(corpus, embedder, rag)
        given = []
        for question in QUESTIONS:
            answer = assistant.answer(Ask(question)).to_dict()
            given.append(json.dumps({k: v for k, v in answer.items() if k not in ("id", "timings_ms")}))
        for row in embedder.embed_queries(QUESTIONS[:3]):
            near = corpus.search_sentences(row, top_k=5)
            given.append(json.dumps([(match.id, round(match.score, 4)) for match in near]))
    return given


def jobs(settings: IndexSettings) -> list[Any]:
    """What became of each job and of its files."""
    with Catalogue.open(settings.data_dir) as catalogue:
        found = catalogue.jobs.latest(100)
    return sorted(
        [job.state, [[file.state, file.path, file.document_id] for file in job.files]] for job in found
    )


def leftovers(place: Place) -> list[str]:
    """What lies in the data directory and belongs to nothing."""
    data = place.settings.data_dir
    current = pointer.read(data)
    known = {"current.json", "build.lock", "" if current is None else current.version}
    found = [path.name for path in (data / "chroma").glob("*") if path.name not in known]
    found += [str(path) for path in (data / "incoming").glob("*")]
    return found + [str(path) for path in data.rglob("*.tmp")]


def finished(place: Place) -> dict[str, Any]:
    """Everything that is compared with an undisturbed index."""
    return {
        "stored": stored(place.settings),
        "answers": answers(place.settings),
        "faults": vector_faults(place.settings),
        "leftovers": leftovers(place),
        "uploads": {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (place.settings.data_dir / "uploads").glob("*")
        },
        "jobs": jobs(place.settings),
    }


# -- the operations


def _indexed(place: Place) -> None:
    place.write(range(10))
    place.index()


def _changed(place: Place) -> None:
    place.write(range(3), edition=2)
    place.write(range(10, 16))
    for number in (3, 4):
        (place.docs / f"{number:02}.txt").unlink(missing_ok=True)


def _index_again(place: Place, say: Say) -> None:
    _changed(place)
    place.index(say=say)


def _index_completed(place: Place) -> None:
    _changed(place)
    place.index()


def _some_of(place: Place, _: Sequence[str]) -> list[str]:
    """Of the folder, what did not change is there, and what is there is the old or the new text."""
    there = {Path(path).name for path in stored(place.settings)}
    missing = {f"{number:02}.txt" for number in (0, 1, 2, *range(5, 10))} - there
    return [f"documents are gone: {sorted(missing)}"] if missing else []


def _another_folder(place: Place, say: Say) -> None:
    place.write(range(5, 16), folder=place.other)
    place.index(say=say, folders=[place.other])


def _another_folder_completed(place: Place) -> None:
    _another_folder(place, lambda _: None)


def _old_or_new(place: Place, _: Sequence[str]) -> list[str]:
    """All documents of the folder before are there, or all of the other one, or both."""
    there = {Path(path).name for path in stored(place.settings)}
    old, new = ({f"{number:02}.txt" for number in numbers} for numbers in (range(10), range(5, 16)))
    return [] if old <= there or new <= there else [f"neither is whole: {sorted(there)}"]


def _switch(place: Place, say: Say) -> None:
    place.index(revision="2", say=say)


def _switched(place: Place) -> None:
    place.index(revision="2")


def _all_of(place: Place, _: Sequence[str]) -> list[str]:
    count = len(stored(place.settings))
    return [] if count == 10 else [f"{count} documents of 10"]


def _upload(place: Place, say: Say) -> None:
    with place.intake() as intake:
        for job in range(_JOBS):
            say(f"job {job} {intake.submit(place.upload(job)).id}")
        _wait(intake)


def _upload_completed(place: Place) -> None:
    """Finish what waits; send again what was never acknowledged, as a client would."""
    with place.intake() as intake:
        _wait(intake)
        there = {Path(path).name for path in stored(place.settings)}
        for job in range(_JOBS):
            names = {name for name, _ in place.upload(job)}
            if names & there not in (set(), names):
                raise AssertionError(f"a part of job {job} is there: {sorted(names & there)}")
            if not names & there:
                intake.submit(place.upload(job))
        _wait(intake)
    _nothing_to_do(place)


def _taken(place: Place, heard: Sequence[str]) -> list[str]:
    """Every acknowledged job is known, with all its files stored, staged or placed."""
    faults = []
    stored(place.settings)
    with Catalogue.open(place.settings.data_dir) as catalogue:
        for line in heard:
            _, number, job_id = line.split()
            job = catalogue.jobs.get(job_id)
            if job is None or len(job.files) != _UPLOADS:
                faults.append(f"job {number} is gone")
    return faults


def _with_uploads(place: Place) -> None:
    _indexed(place)
    with place.intake() as intake:
        for job in range(_JOBS):
            intake.submit(place.upload(job))
        _wait(intake)


def _doomed() -> set[str]:
    return {f"{number}.txt" for number in range(20, 20 + _DELETED)}


def _delete(place: Place, say: Say) -> None:
    with place.intake() as intake:
        for name, document_id in _uploaded(place).items():
            if name in _doomed() and intake.delete(document_id):
                say(f"deleted {name}")


def _delete_completed(place: Place) -> None:
    left = _uploaded(place)
    with place.intake() as intake:
        _wait(intake)
        if _uploaded(place) != left:
            raise AssertionError(f"of {sorted(left)} the intake made {sorted(_uploaded(place))}")
        for name, document_id in left.items():
            if name in _doomed():
                intake.delete(document_id)
    _nothing_to_do(place)


def _gone(place: Place, heard: Sequence[str]) -> list[str]:
    """What was acknowledged as deleted is not there, and nothing else is gone."""
    there = {Path(path).name for path in stored(place.settings)}
    back = {line.split()[1] for line in heard} & there
    lost = {f"{number}.txt" for number in range(20, 20 + _JOBS * _UPLOADS)} - _doomed() - there
    return [f"back again: {sorted(back)}"] * bool(back) + [f"lost: {sorted(lost)}"] * bool(lost)


def _nothing_to_do(place: Place) -> None:
    """Fail unless the indexer finds everything as the intake left it."""
    did = place.index(share=1.0)
    if did.added or did.changed or did.removed or did.skipped:
        raise AssertionError(f"the indexer finds something to do: {did}")


def _uploaded(place: Place) -> dict[str, str]:
    with Corpus.open(place.settings, manifest_expected=None) as corpus:
        folder = str((place.settings.data_dir / "uploads").resolve())
        return {info.path: info.id for info in corpus.documents() if info.folder == folder}


def _wait(intake: Intake) -> None:
    until = time.monotonic() + 600
    while intake.waiting():
        if time.monotonic() > until:
            raise AssertionError("uploads are not taken in")
        time.sleep(0.02)


OPERATIONS = {
    "index": Operation(_indexed, _index_again, _index_completed, _some_of, writes_vectors=True),
    "folder": Operation(
        _indexed, _another_folder, _another_folder_completed, _old_or_new, writes_vectors=True
    ),
    "switch": Operation(_indexed, _switch, _switched, _all_of, ("1", "2"), writes_vectors=True),
    "upload": Operation(_indexed, _upload, _upload_completed, _taken),
    "delete": Operation(_with_uploads, _delete, _delete_completed, _gone),
}
