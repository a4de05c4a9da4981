"""Backups taken while uploads come in, and plain copies of a folder in use: no acknowledged file is lost."""

from __future__ import annotations

import io
import shutil
import tarfile
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from digest import DigestEmbedder, settings_for

from index.backup import backup, restore
from index.catalogue import Catalogue, Job, JobFile
from index.corpus import Corpus
from index.errors import IndexDamaged, UsageError
from index.intake import Intake
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index
from ui.cli import cli

WAIT_SECONDS = 60


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    seeds = tmp_path / "shipped"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The harbour was dredged in 1987.", "utf-8")
    made = settings_for(tmp_path / "data").model_copy(update={"seeds_dir": seeds})
    make_index(made, [seeds], embedder=DigestEmbedder())
    (made.data_dir / "keys.json").write_text('{"keys": []}')
    return made


def content(number: int) -> bytes:
    return f"The mill number {number} grinds rye.".encode()


def files(*numbers: int) -> list[tuple[str, io.BytesIO]]:
    return [(f"{n}.txt", io.BytesIO(content(n))) for n in numbers]


def done(intake: Intake, job_id: str) -> Job:
    until = time.monotonic() + WAIT_SECONDS
    while (found := intake.job(job_id)) is None or found.state != "done":
        assert time.monotonic() < until, found
        time.sleep(0.02)
    return found


def paths(settings: IndexSettings) -> list[str]:
    with Corpus.open(settings, manifest_expected=None) as corpus:
        return sorted(info.path for info in corpus.documents())


def elsewhere(settings: IndexSettings, tmp_path: Path) -> IndexSettings:
    return settings.model_copy(update={"data_dir": tmp_path / "other"})


def test_a_backup_of_a_busy_server_holds_every_acknowledged_file(
    settings: IndexSettings, tmp_path: Path
) -> None:
    with Intake(settings, DigestEmbedder(pause=0.02)) as intake:
        first = intake.submit(files(*range(8)))
        while [file.state for file in intake.jobs()[0].files].count("indexed") < 2:
            time.sleep(0.01)
        made = backup(settings, tmp_path / "b.tar", also=["keys.json"])
        assert done(intake, first.id).state == "done"
    other = elsewhere(settings, tmp_path)
    assert restore(other, tmp_path / "b.tar", also=["keys.json"]) == made
    assert (other.data_dir / "keys.json").read_text() == '{"keys": []}'
    with Intake(other, DigestEmbedder()) as intake:
        assert {file.state for file in done(intake, first.id).files} == {"indexed"}
        found = [file.document_id for file in done(intake, first.id).files]
        assert found[0] is not None
        assert intake.delete(found[0]), "its folder is the new one"
    assert paths(other) == sorted(["a.txt", *(f"{n}.txt" for n in range(1, 8))])
    summary = make_index(other, default_folders(other), embedder=DigestEmbedder())
    assert (summary.added, summary.removed) == ([], [])


@pytest.mark.parametrize("first", ["server", "index"])
def test_a_plain_copy_of_a_busy_folder_loses_no_acknowledged_file(
    settings: IndexSettings, first: str
) -> None:
    """Each part of a copy may be of another moment."""
    uploads, incoming = settings.data_dir / "uploads", settings.data_dir / "incoming"
    with Intake(settings, DigestEmbedder()) as intake:
        job = done(intake, intake.submit(files(1, 2)).id)
    # The catalogue copied after the files: 1.txt is a document, and lies where it waited.
    (incoming / job.id).mkdir()
    shutil.move(uploads / "1.txt", incoming / job.id / "0")
    with Catalogue.open(settings.data_dir, create=True) as catalogue:
        # Before them: 3.txt waits, and lies where it stays; one of 4 and 5 is another's content under the same name.
        catalogue.jobs.add("before", [JobFile(ordinal=0, name="3.txt", size=len(content(3)))])
        catalogue.jobs.add(
            "twice", [JobFile(ordinal=n, name="4.txt", size=len(content(4))) for n in range(2)]
        )
    (uploads / "3.txt").write_bytes(content(3))
    (uploads / "4.txt").write_bytes(content(4))
    (uploads / "4 (2).txt").write_bytes(content(5))
    if first == "index":
        summary = make_index(settings, default_folders(settings), embedder=DigestEmbedder())
        assert summary.removed == []
    with Intake(settings, DigestEmbedder()) as intake:
        states = {file.state for id_ in ("before", "twice") for file in done(intake, id_).files}
    assert states == ({"duplicate"} if first == "index" else {"indexed"})
    assert paths(settings) == ["1.txt", "2.txt", "3.txt", "4 (2).txt", "4.txt", "a.txt"]
    assert (uploads / "1.txt").read_bytes() == content(1)


def test_what_waited_outlives_its_catalogue(settings: IndexSettings) -> None:
    embedder = DigestEmbedder(pause=0.05)
    with Intake(settings, embedder) as intake:
        job = intake.submit(files(1, 2, 3))
    for path in settings.data_dir.glob("catalogue.sqlite3*"):
        path.unlink()
    make_index(settings, default_folders(settings), embedder=DigestEmbedder())
    with Intake(settings, DigestEmbedder()) as intake:
        assert {file.state for file in done(intake, job.id).files} <= {"indexed", "duplicate"}
    assert paths(settings) == ["1.txt", "2.txt", "3.txt", "a.txt"]


def packed(path: Path, *entries: tarfile.TarInfo) -> bytes:
    with tarfile.open(path, "w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return path.read_bytes()


def link(name: str, target: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry


@pytest.mark.parametrize("kind", ["cut off", "changed", "no tar", "a path that leads out", "a link", "empty"])
def test_what_is_no_whole_backup_changes_nothing(settings: IndexSettings, tmp_path: Path, kind: str) -> None:
    source = tmp_path / "b.tar"
    backup(settings, source)
    whole = source.read_bytes()
    source.write_bytes(
        {
            "cut off": whole[: len(whole) // 2],
            "changed": whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
            "no tar": b"x" * 5000,
            "a path that leads out": packed(tmp_path / "t", tarfile.TarInfo("uploads/../../out.txt")),
            "a link": packed(tmp_path / "t", link("uploads/a", "/etc/passwd")),
            "empty": packed(tmp_path / "t"),
        }[kind]
    )
    before = sorted(path.name for path in settings.data_dir.iterdir())
    with pytest.raises(IndexDamaged, match=r"is no whole backup .*take another one"):
        restore(settings, source, replace=True)
    assert sorted(path.name for path in settings.data_dir.iterdir()) == before
    assert paths(settings) == ["a.txt"]
    assert not (tmp_path / "out.txt").exists()


def test_an_index_is_replaced_only_when_told_and_kept_aside(settings: IndexSettings, tmp_path: Path) -> None:
    environment = {"RAG_DATA_DIR": str(settings.data_dir), "RAG_SEEDS_DIR": str(settings.seeds_dir)}

    def rag(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(cli, arguments, env=environment, prog_name="rag")
        return result.exit_code, result.output

    target = str(tmp_path / "b.tar")
    code, said = rag("backup", target)
    assert (code, said.startswith(f"{target} holds 2 files")) == (0, True), said
    assert Path(target).stat().st_mode & 0o077 == 0
    code, said = rag("restore", target)
    assert (code, "holds an index already" in said) == (2, True)
    with Intake(settings, DigestEmbedder()) as intake:
        done(intake, intake.submit(files(1)).id)
    assert rag("restore", target, "--replace")[0] == 0
    assert paths(settings) == ["a.txt"]
    (kept,) = settings.data_dir.glob("before-restore-*")
    assert (kept / "uploads" / "1.txt").read_bytes() == content(1)
    assert not list(settings.data_dir.glob("restoring-*"))


def test_a_shared_catalogue_is_told_how(settings: IndexSettings, tmp_path: Path) -> None:
    shared = IndexSettings(database_url="postgresql://a@127.0.0.1:9/b", _env_file=None)  # type: ignore[arg-type]
    for call in (backup, restore):
        with pytest.raises(UsageError, match="pg_"):
            call(shared, tmp_path / "b.tar")
