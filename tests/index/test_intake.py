"""Taking documents in, below HTTP: the queue and its bounds, stops, failures, and older catalogues."""

from __future__ import annotations

import io
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from digest import DigestEmbedder, settings_for
from numpy.typing import NDArray
from texts import HOSTILE, MULTI_SCRIPT

from index.catalogue import Catalogue, Job, JobFile
from index.entries import EntryMaker
from index.errors import IndexMissing, IntakeFull, UsageError
from index.intake import Intake
from index.normalise import visible
from index.reading_process import ReadingProcess
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index

WAIT_SECONDS = 60


class GatedEmbedder(DigestEmbedder):
    """Embeds passages while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.reached = threading.Event()

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        self.reached.set()
        while not self.gate.wait(0.01):
            if progress is not None:
                progress(0)
        return super().embed_passages(texts, progress=progress)


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    seeds = tmp_path / "shipped"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The harbour was dredged in 1987.", "utf-8")
    made = settings_for(tmp_path / "data").model_copy(update={"seeds_dir": seeds, "max_queued_uploads": 3})
    make_index(made, [seeds], embedder=DigestEmbedder())
    return made


@pytest.fixture
def gated(settings: IndexSettings) -> Iterator[tuple[Intake, GatedEmbedder]]:
    embedder = GatedEmbedder()
    with Intake(settings, embedder) as intake:
        yield intake, embedder
        embedder.gate.set()


def files(*numbers: int) -> list[tuple[str, io.BytesIO]]:
    return [(f"{n}.txt", io.BytesIO(f"The mill number {n} grinds rye.".encode())) for n in numbers]


def done(intake: Intake, job: Job) -> Job:
    until = time.monotonic() + WAIT_SECONDS
    while (found := intake.job(job.id)) is None or found.state != "done":
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return found


def test_more_than_may_wait_is_turned_away_and_leaves_nothing(
    settings: IndexSettings, gated: tuple[Intake, GatedEmbedder]
) -> None:
    intake, embedder = gated
    taken = [intake.submit(files(1, 2)), intake.submit(files(3))]
    with pytest.raises(IntakeFull, match="3 uploaded files wait"):
        intake.submit(files(4))
    assert len(list((settings.data_dir / "incoming").iterdir())) == 2
    embedder.gate.set()
    assert {file.state for job in taken for file in done(intake, job).files} == {"indexed"}
    assert done(intake, intake.submit(files(4))).files[0].state == "indexed"


def test_a_job_tells_how_far_it_is(gated: tuple[Intake, GatedEmbedder]) -> None:
    intake, embedder = gated
    job = intake.submit(files(1, 2))
    assert job.state == "queued"
    assert embedder.reached.wait(WAIT_SECONDS)
    now = intake.job(job.id)
    assert now is not None
    assert (now.state, [file.state for file in now.files]) == ("working", ["working", "queued"])
    assert intake.waiting() == 2


def test_a_stop_in_the_middle_is_taken_up_again(settings: IndexSettings) -> None:
    embedder = GatedEmbedder()
    with Intake(settings, embedder) as intake:
        job = intake.submit(files(1, 2))
        assert embedder.reached.wait(WAIT_SECONDS)
    with Intake(settings, DigestEmbedder()) as intake:
        finished = done(intake, job)
    assert [(file.state, file.attempts) for file in finished.files] == [("indexed", 1), ("indexed", 1)]


@pytest.mark.parametrize("kind", ["streams", "paths"])
def test_files_come_as_streams_or_paths(settings: IndexSettings, tmp_path: Path, kind: str) -> None:
    (tmp_path / "x").write_bytes(b"The mill grinds rye.")
    source = tmp_path / "x" if kind == "paths" else io.BytesIO(b"The mill grinds rye.")
    with Intake(settings, DigestEmbedder()) as intake:
        assert done(intake, intake.submit([("mill.txt", source)])).files[0].path == "mill.txt"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param([], "at least one", id="none"),
        pytest.param([("a", Path("/nowhere/at/all"))], "is not a file", id="no-such-path"),
        pytest.param([("a", io.BytesIO(b"x")), ("b", Path("/"))], "is not a file", id="a-folder"),
    ],
)
def test_what_is_no_file_is_refused_and_leaves_nothing(
    settings: IndexSettings, given: list[tuple[str, io.BytesIO | Path]], said: str
) -> None:
    with Intake(settings, DigestEmbedder()) as intake:
        with pytest.raises(UsageError, match=said):
            intake.submit(given)
        assert intake.jobs() == []
    incoming = settings.data_dir / "incoming"
    assert not incoming.exists() or list(incoming.iterdir()) == []


def test_a_file_that_ended_the_process_each_time_is_given_up(settings: IndexSettings) -> None:
    with Catalogue.open(settings.data_dir, create=True) as catalogue:
        job = catalogue.jobs.add("j", [JobFile(ordinal=0, name="a.txt", size=1, state="working", attempts=5)])
    (settings.data_dir / "incoming" / "j").mkdir(parents=True)
    (settings.data_dir / "incoming" / "j" / "0").write_bytes(b"x")
    with Intake(settings, DigestEmbedder()) as intake:
        file = done(intake, job).files[0]
        assert (file.state, file.detail) == (
            "failed",
            "the server ended each of the 5 times it worked on it; split it",
        )
        following = done(intake, intake.submit(files(1)))
    assert following.files[0].state == "indexed"
    assert list((settings.data_dir / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "limits", "said"),
    [
        pytest.param(200_000, {"read_seconds": 1}, "takes more than 1 seconds", id="a file that never ends"),
        pytest.param(
            1500, {"max_document_sentences": 1000}, "1,500 sentences, more than", id="many sentences"
        ),
    ],
)
def test_what_takes_too_much_is_refused_with_its_reason(
    settings: IndexSettings, lines: int, limits: dict[str, int], said: str
) -> None:
    """Read, cut into sentences and told its languages apart from this process."""
    text = "".join(f"{number} mill\n" for number in range(100_000, 100_000 + lines)).encode()
    with Intake(settings.model_copy(update=limits), DigestEmbedder()) as intake:
        (file,) = done(intake, intake.submit([("long.txt", io.BytesIO(text))])).files
    assert (file.state, file.reason) == ("refused", "too_large")
    assert said in file.detail


def test_a_document_cut_apart_is_the_one_cut_here(settings: IndexSettings, tmp_path: Path) -> None:
    maker = EntryMaker(DigestEmbedder(), settings)
    unknown = (
        "\U00013000" * 90_000
    )  # of a script that is one token, however long it is, for many vocabularies
    text = "\n\n".join(
        [*MULTI_SCRIPT.values(), *(line for line in HOSTILE.values() if line.strip()), unknown]
    )
    path = tmp_path / "text"
    path.write_text(visible(text), "utf-8")
    with ReadingProcess(settings) as reading:
        document = reading.read(path, name="text.txt")
        assert document is not None
        apart = maker.cut_apart(reading, lambda _: None)
    assert apart == maker.cut(document)
    assert max(len(chunk.text) for chunk in apart.chunks) < 3000


def test_a_fault_of_ours_at_one_file_keeps_no_other_waiting(settings: IndexSettings) -> None:
    class Faulty(DigestEmbedder):
        def count_tokens(self, texts: Sequence[str]) -> list[int]:
            if any("number 1 " in text for text in texts):
                raise ZeroDivisionError
            return super().count_tokens(texts)

    with Intake(settings, Faulty()) as intake:
        states = [file.state for file in done(intake, intake.submit(files(1, 2))).files]
    assert states == ["failed", "indexed"]
    assert [path.name for path in (settings.data_dir / "uploads").iterdir()] == ["2.txt"]


def test_what_was_never_acknowledged_is_cleared_away(settings: IndexSettings) -> None:
    lost = settings.data_dir / "incoming" / "never"
    lost.mkdir(parents=True)
    (lost / "0").write_bytes(b"half a fi")
    Intake(settings, DigestEmbedder()).close()
    assert not lost.exists()


def test_a_deleted_document_whose_file_stays_is_not_indexed_again(settings: IndexSettings) -> None:
    """As after a power cut, or where the file cannot be removed."""
    with Intake(settings, DigestEmbedder()) as intake:
        document_id = done(intake, intake.submit(files(1))).files[0].document_id
        folder = intake.folder
    assert document_id is not None
    with Catalogue.open(settings.data_dir) as catalogue:
        live = catalogue.live()
        assert live is not None
        with catalogue.transaction(live) as changes:
            changes.remove_document(document_id)
            changes.doom_file(folder, "1.txt")
    summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    assert (summary.added, summary.documents) == ([], 1)
    assert not Path(folder, "1.txt").exists()


def test_a_catalogue_from_before_there_were_uploads_is_used_as_it_is(settings: IndexSettings) -> None:
    with sqlite3.connect(settings.data_dir / "catalogue.sqlite3") as connection:
        for table in ("job_files", "jobs", "doomed_files"):
            connection.execute(f"DROP TABLE {table}")
    connection.close()
    summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    assert (summary.unchanged, summary.documents) == (1, 1)
    with Intake(settings, DigestEmbedder()) as intake:
        assert done(intake, intake.submit(files(1))).files[0].state == "indexed"


def test_nothing_is_taken_where_nothing_is_indexed(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="rag index"):
        Intake(settings_for(tmp_path / "data"), DigestEmbedder())


# -- cancelling


def ends(job: Job | None) -> list[tuple[str, str | None]]:
    assert job is not None
    return [(file.state, file.reason) for file in job.files]


def test_what_waits_and_what_is_worked_on_is_cancelled(
    settings: IndexSettings, gated: tuple[Intake, GatedEmbedder]
) -> None:
    intake, embedder = gated
    job = intake.submit(files(1, 2, 3))
    assert embedder.reached.wait(WAIT_SECONDS)
    cancelled = intake.cancel(job.id)
    assert ends(cancelled) == [("refused", "cancelled")] * 3
    assert cancelled is not None
    assert cancelled.state == "done"
    assert intake.waiting() == 0
    assert list((settings.data_dir / "incoming").iterdir()) == []
    embedder.gate.set()
    following = done(intake, intake.submit(files(4)))
    assert [file.state for file in following.files] == ["indexed"]
    assert ends(intake.job(job.id)) == [("refused", "cancelled")] * 3, "and stays so"
    assert [path.name for path in Path(intake.folder).iterdir()] == ["4.txt"]
    again = done(intake, intake.submit(files(1)))
    assert [file.state for file in again.files] == ["indexed"], "it can be sent again"


def test_some_files_of_a_job_are_cancelled_and_the_others_go_on(
    gated: tuple[Intake, GatedEmbedder],
) -> None:
    intake, embedder = gated
    job = intake.submit(files(1, 2, 3))
    assert embedder.reached.wait(WAIT_SECONDS)
    intake.cancel(job.id, files=[1])
    embedder.gate.set()
    assert ends(done(intake, job)) == [("indexed", None), ("refused", "cancelled"), ("indexed", None)]
    assert ends(intake.cancel(job.id)) == ends(intake.job(job.id)), "what is indexed stays"
    assert sorted(path.name for path in Path(intake.folder).iterdir()) == ["1.txt", "3.txt"]


def test_a_file_that_had_its_place_already_is_removed_from_there(settings: IndexSettings) -> None:
    """As after a full disk between the file's move and its document."""
    with Catalogue.open(settings.data_dir, create=True) as catalogue:
        catalogue.jobs.add("j", [JobFile(ordinal=0, name="a.txt", size=1, path="a.txt", attempts=1)])
    (settings.data_dir / "uploads").mkdir()
    (settings.data_dir / "uploads" / "a.txt").write_text("The mill grinds rye.")
    embedder = GatedEmbedder()
    with Intake(settings, embedder) as intake:
        assert embedder.reached.wait(WAIT_SECONDS)
        assert ends(intake.cancel("j")) == [("refused", "cancelled")]
        assert list(Path(intake.folder).iterdir()) == []
    summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    assert summary.documents == 1


def test_cancelling_at_any_moment_leaves_each_file_indexed_or_gone(settings: IndexSettings) -> None:
    """Files are read, embedded and stored meanwhile; whatever the moment, nothing lies between."""
    with Intake(settings, DigestEmbedder()) as intake:
        for turn in range(5):
            job = intake.submit(files(*range(turn * 3, turn * 3 + 3)))
            while ends(intake.job(job.id))[0][0] != "indexed":
                time.sleep(0.001)
            time.sleep(turn * 0.004)
            found = ends(intake.cancel(job.id))
            assert set(found) <= {("indexed", None), ("refused", "cancelled")}
            assert ends(done(intake, job)) == found, "from then on nothing changes"
        last = done(intake, intake.submit(files(99)))
        assert [file.state for file in last.files] == ["indexed"]
        names = {file.name for job in intake.jobs() for file in job.files if file.state == "indexed"}
        assert {path.name for path in Path(intake.folder).iterdir()} == names
    assert list((settings.data_dir / "incoming").iterdir()) == []
    summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    assert (summary.added, summary.removed, summary.documents) == ([], [], len(names) + 1)


def test_what_cannot_be_cancelled_is_said(settings: IndexSettings) -> None:
    with Intake(settings, DigestEmbedder()) as intake:
        assert intake.cancel("nothing") is None
        job = intake.submit(files(1))
        with pytest.raises(UsageError, match="has 1 files and none at 7"):
            intake.cancel(job.id, files=[0, 7])
        assert [file.state for file in done(intake, job).files] == ["indexed"]


def test_only_the_latest_finished_jobs_are_kept(settings: IndexSettings) -> None:
    refused = JobFile(ordinal=0, name="a", size=1, state="refused")
    with Catalogue.open(settings.data_dir, create=True) as catalogue:
        catalogue.jobs.add("waits", [JobFile(ordinal=0, name="a", size=1)])
        for number in range(5):
            catalogue.jobs.add(str(number), [refused])
        catalogue.jobs.prune(2)
        assert [job.id for job in catalogue.jobs.latest(10)] == ["4", "3", "waits"]
        assert catalogue.jobs.waiting() == 1
