"""Uploads to a shared catalogue: where their files lie is agreed on, and whoever has the turn works them off."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from digest import DigestEmbedder
from pydantic import SecretStr

from index.catalogue import Catalogue, Job, JobFile
from index.errors import IndexBusy, SettingsError
from index.indexer import Indexer
from index.intake import Intake
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index

if TYPE_CHECKING:
    from postgres_server import PostgresForTests

WAIT_SECONDS = 60


@pytest.fixture
def settings(tmp_path: Path, postgres: PostgresForTests) -> IndexSettings:
    seeds = tmp_path / "shipped"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The harbour was dredged in 1987.", "utf-8")
    made = IndexSettings(
        data_dir=tmp_path / "one",
        seeds_dir=seeds,
        shared_dir=tmp_path / "shared",
        database_url=SecretStr(postgres.url()),
        language_correction=0,
        _env_file=None,
    )
    with Catalogue.configured(made, create=True) as catalogue:
        Indexer(catalogue, DigestEmbedder(), made).run(default_folders(made))
    return made


def upload(intake: Intake, number: int) -> Job:
    return intake.submit([(f"{number}.txt", io.BytesIO(f"The mill number {number} grinds rye.".encode()))])


def done(intake: Intake, job: Job) -> Job:
    end = time.monotonic() + WAIT_SECONDS
    while (found := intake.job(job.id)) is None or found.state != "done":
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def paths(settings: IndexSettings) -> set[str]:
    with Catalogue.configured(settings) as catalogue:
        live = catalogue.live()
        assert live is not None
        return {info.path for info in catalogue.reader(live).documents()}


def test_what_one_takes_another_may_index_and_delete(settings: IndexSettings, tmp_path: Path) -> None:
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "two"})
    with Intake(settings, DigestEmbedder()) as one, Intake(elsewhere, DigestEmbedder()) as two:
        jobs = [upload(each, number) for number, each in enumerate((one, two, two, one))]
        assert {file.state for job in jobs for file in done(two, job).files} == {"indexed"}
        assert paths(settings) == {"a.txt", "0.txt", "1.txt", "2.txt", "3.txt"}
        key = done(one, jobs[1]).files[0].document_id
        assert key is not None
        assert one.delete(key)
        assert not two.delete(key)
    assert sorted(path.name for path in (tmp_path / "shared" / "uploads").iterdir()) == [
        "0.txt",
        "2.txt",
        "3.txt",
    ]
    make_index(elsewhere, default_folders(elsewhere), embedder=DigestEmbedder())
    assert paths(settings) == {"a.txt", "0.txt", "2.txt", "3.txt"}


def test_uploads_wait_while_another_process_has_the_turn_to_write(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.upload_worker._TURN_SECONDS", 0.5)
    with (
        Catalogue.configured(settings) as catalogue,
        Intake(settings, DigestEmbedder()) as intake,
    ):
        with catalogue.turn("writer", purpose="rag index", wait=5):
            job = upload(intake, 1)
            with pytest.raises(IndexBusy, match="rag index"):
                intake.delete("any")
            waiting = intake.job(job.id)
            assert waiting is not None
            assert waiting.state != "done"
        assert done(intake, job).files[0].state == "indexed"


@pytest.mark.parametrize("other", [None, "other"], ids=["no-folder", "another-folder"])
def test_a_process_with_another_folder_is_refused(
    settings: IndexSettings, tmp_path: Path, other: str | None
) -> None:
    with Intake(settings, DigestEmbedder()) as intake:
        done(intake, upload(intake, 1))
    before = paths(settings)
    wrong = settings.model_copy(update={"shared_dir": None if other is None else tmp_path / other})
    for call in (
        lambda: make_index(wrong, default_folders(wrong), embedder=DigestEmbedder()),
        lambda: Intake(wrong, DigestEmbedder()),
    ):
        with pytest.raises(SettingsError, match=f"RAG_SHARED_DIR={tmp_path / 'shared'}"):
            call()
    assert paths(settings) == before == {"a.txt", "1.txt"}


def test_a_dump_brings_everything_back(
    settings: IndexSettings, postgres: PostgresForTests, tmp_path: Path
) -> None:
    """As docs/operation.md says, with a copy of the folder of uploads."""
    with Catalogue.configured(settings) as catalogue:
        catalogue.jobs.add("j", [JobFile(ordinal=0, name="1.txt", size=29)])
    assert settings.database_url is not None
    schema, dump = settings.database_url.get_secret_value().split("%3D")[1], str(tmp_path / "dump")
    postgres.run("pg_dump", "--format=custom", f"--schema={schema}", f"--file={dump}")
    postgres.run("psql", "--command", f"DROP SCHEMA {schema} CASCADE")
    postgres.run("pg_restore", dump)
    assert paths(settings) == {"a.txt"}
    with Catalogue.configured(settings) as catalogue:
        assert catalogue.check() == []
        assert [file.name for job in catalogue.jobs.latest(5) for file in job.files] == ["1.txt"]
        summary = Indexer(catalogue, DigestEmbedder(), settings).run(default_folders(settings))
    assert (summary.added, summary.removed, summary.unchanged) == ([], [], 1)
