"""A disk that is full, a data directory that cannot be written: one line says so, and nothing is lost.

The run that meets the fault is a process of its own. A full disk is a small file system in memory where the system
lets a process mount one, and a limit on the size of files everywhere; rights are those of another user where the
tests run as root, whom rights do not stop.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from digest import DigestEmbedder, settings_for

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.doctor import checks
from index.errors import WorkError
from index.settings import IndexSettings
from index.upkeep import make_index
from index.uploads import UploadFiles

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
UNSHARE = shutil.which("unshare")

_RUN = """
import logging, os, resource, sys
from pathlib import Path
sys.path.insert(0, "tests")
from digest import DigestEmbedder, settings_for
from index.errors import PolyciteError
from index.language.detection import detect
from index.ownership import own
from index.upkeep import make_index

logging.disable(logging.CRITICAL)
data, docs, limit, user = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if sys.argv[5]:
    detect("The model that tells languages is loaded.")
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
if user:  # only now: the interpreter itself may lie where other users cannot look
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
try:
    with own(data, purpose="rag index"):
        make_index(settings_for(data, chroma_rebuild_share=1.0), [docs], embedder=DigestEmbedder())
except PolyciteError as error:
    print(error)
    sys.exit(1)
"""


def write(docs: Path, first: int, last: int, *, sentences: int = 60) -> None:
    docs.mkdir(parents=True, exist_ok=True)
    for number in range(first, last):
        said = [
            f"Shed {i} of yard {number} holds {number * 7 + i} barrels of tar and rope."
            for i in range(sentences)
        ]
        (docs / f"{number:03}.txt").write_text(" ".join(said), "utf-8")


def seen(settings: IndexSettings) -> dict[str, list[str]]:
    """Path -> ids of the sentences, of a catalogue that is whole."""
    with Catalogue.open(settings.data_dir) as catalogue:
        assert catalogue.check() == []
    with Corpus.open(settings, manifest_expected=None) as corpus:
        return {info.path: [each.id for each in corpus.sentences_of(info.id)] for info in corpus.documents()}


def same_searches(settings: IndexSettings, other: IndexSettings) -> bool:
    rows = DigestEmbedder().embed_queries(["barrels of tar", "yard 3", "rope"])
    with (
        Corpus.open(settings, manifest_expected=None) as left,
        Corpus.open(other, manifest_expected=None) as right,
    ):
        return all(
            [match.id for match in left.search_sentences(row, top_k=5)]
            == [match.id for match in right.search_sentences(row, top_k=5)]
            for row in rows
        )


def index_elsewhere(
    data: Path, docs: Path, *, limit: int = 0, user: int = 0, known: bool = True, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own; `before` is what its shell does first, in mounts of its own."""
    command = [sys.executable, "-c", _RUN, str(data), str(docs), str(limit), str(user), "known" * known]
    return in_mounts(command, before)


def in_mounts(command: list[str], before: str) -> subprocess.CompletedProcess[str]:
    """A command after what a shell does `before` it, in mounts of its own; "": as it is."""
    if before:
        shell = ["sh", "-c", f'{before} && "$@"', "sh"]
        command = [str(UNSHARE), "--mount", "--map-root-user", *shell, *command]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def require_mounts() -> None:
    """Skip the test where no file system can be mounted."""
    tried = [str(UNSHARE), "--mount", "--map-root-user", "true"]
    if UNSHARE is None or subprocess.run(tried, capture_output=True, check=False).returncode:
        pytest.skip("this system lets no process mount a file system of its own")


@dataclass(frozen=True, slots=True)
class Grown:
    """A folder that has grown: the index of what it held before, and one of all of it that nothing disturbed."""

    docs: Path
    before: IndexSettings
    whole: IndexSettings


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    root = tmp_path_factory.mktemp("disk")
    found = Grown(
        root / "docs", settings_for(root / "before"), settings_for(root / "whole", chroma_rebuild_share=1.0)
    )
    write(found.docs, 0, 6)
    make_index(found.before, [found.docs], embedder=DigestEmbedder())
    shutil.copytree(found.before.data_dir, found.whole.data_dir)
    write(found.docs, 6, 60)
    make_index(found.whole, [found.docs], embedder=DigestEmbedder())
    return found


def resumed(data: Path, grown: Grown) -> None:
    """The next run completes the index, and searches find what they find in the one that was never disturbed."""
    settings = settings_for(data, chroma_rebuild_share=1.0)
    make_index(settings, [grown.docs], embedder=DigestEmbedder())
    assert seen(settings) == seen(grown.whole)
    assert same_searches(settings, grown.whole)


def test_files_that_cannot_grow_are_a_full_disk(grown: Grown, tmp_path: Path) -> None:
    data = shutil.copytree(grown.before.data_dir, tmp_path / "data")
    before = seen(settings_for(data))
    limit = (data / "catalogue.sqlite3").stat().st_size + 300_000
    done = index_elsewhere(data, grown.docs, limit=limit)
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert "catalogue.sqlite3 failed" in done.stdout
    assert "check the disk" in done.stdout
    assert done.stdout.count("\n") == 1
    after = seen(settings_for(data))
    assert before.items() <= after.items(), "nothing that was there is gone"
    resumed(data, grown)


def test_no_room_for_temporary_files(grown: Grown, tmp_path: Path) -> None:
    data = shutil.copytree(grown.before.data_dir, tmp_path / "data")
    done = index_elsewhere(
        data, grown.docs, limit=(data / "catalogue.sqlite3").stat().st_size // 2, known=False
    )
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert done.stdout.endswith(": free some space there, or set TMPDIR to a folder with room\n")
    assert seen(settings_for(data)) == seen(grown.before)


def test_a_full_file_system(grown: Grown, tmp_path: Path) -> None:
    data = shutil.copytree(grown.before.data_dir, tmp_path / "data")
    full, kept = tmp_path / "full", tmp_path / "kept"
    full.mkdir()
    mount = (
        f"mount -t tmpfs -o size=2m tmpfs {full} && cp -r {data}/. {full} && trap 'cp -r {full} {kept}' EXIT"
    )
    require_mounts()
    done = index_elsewhere(full, grown.docs, before=mount)
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert "is full: free some space and run the command again" in done.stdout
    assert done.stdout.count("\n") == 1
    assert seen(settings_for(data)).items() <= seen(settings_for(kept)).items()
    resumed(kept, grown)


def test_no_room_for_the_vectors_for_search(tmp_path: Path) -> None:
    require_mounts()
    settings, full = settings_for(tmp_path / "data"), tmp_path / "full"
    write(tmp_path / "docs", 0, 6)
    make_index(settings, [tmp_path / "docs"], embedder=DigestEmbedder())
    shutil.rmtree(settings.data_dir / "chroma")
    full.mkdir()
    size = sum(path.stat().st_size for path in settings.data_dir.iterdir()) // 1000 + 200
    mount = f"mount -t tmpfs -o size={size}k tmpfs {full} && cp -r {settings.data_dir}/. {full}"
    done = index_elsewhere(full, tmp_path / "docs", before=mount)
    assert (done.returncode, done.stderr) == (1, ""), done.stdout
    assert done.stdout.endswith("run the command again; what is indexed answers meanwhile\n")
    assert f"the disk that holds {full} is full: free some space" in done.stdout


def test_a_disk_that_is_full_at_the_first_run(tmp_path: Path) -> None:
    require_mounts()
    mount = f"mount -t tmpfs -o size=20m tmpfs {tmp_path}"
    program = (
        "from pathlib import Path; import sys; from index.bundled import build\n"
        "from index.errors import ModelError\n"
        "try:\n    build.prepare(build.require_source(), Path(sys.argv[1]))\n"
        "except ModelError as error:\n    print(error)"
    )
    done = in_mounts([sys.executable, "-c", program, str(tmp_path / "models")], mount)
    assert done.stdout.count("\n") == 1, done.stderr
    assert (
        "is full: free some space (140 MB for the embedding model) and run the command again" in done.stdout
    )


@pytest.fixture
def outside() -> Iterator[Path]:
    """A folder that other users can reach; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_data_directory_that_cannot_be_written(grown: Grown, outside: Path) -> None:
    data = shutil.copytree(grown.before.data_dir, outside / "data")
    closed = [*data.rglob("*"), data]
    user = NOBODY if os.geteuid() == 0 else 0
    for path in closed:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat().st_mtime_ns for path in closed}
    done = index_elsewhere(data, grown.docs, user=user)
    assert (done.returncode, done.stderr) == (1, ""), done.stderr
    assert f"the data directory {data} cannot be used" in done.stdout
    assert "make it writable for this user, or set RAG_DATA_DIR to a folder that is" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in closed} == before, "nothing is changed"
    for path in reversed(closed):
        path.chmod(0o700 if path.is_dir() else 0o600)
    resumed(data, grown)


def test_a_place_where_no_data_directory_can_be_made(outside: Path) -> None:
    write(outside / "docs", 0, 1)
    (outside / "file").write_text("not a folder")
    with pytest.raises(
        WorkError, match=r"cannot be made .*: set RAG_DATA_DIR to a folder that can be written"
    ):
        make_index(settings_for(outside / "file" / "data"), [outside / "docs"], embedder=DigestEmbedder())


class TestRights:
    """Who may look into a data directory."""

    def test_what_is_made_is_its_owners_alone(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            write(tmp_path / "docs", 0, 1)
            settings = settings_for(tmp_path / "data")
            make_index(settings, [tmp_path / "docs"], embedder=DigestEmbedder())
            files = UploadFiles(settings)
            files.stage("job", [("a.txt", io.BytesIO(b"text"))], max_bytes=10)
        finally:
            os.umask(before)
        assert (settings.data_dir / "incoming").stat().st_mode & 0o777 == 0o700
        assert (settings.data_dir / "incoming" / "job" / "0").stat().st_mode & 0o777 == 0o600
        assert settings.data_dir.stat().st_mode & 0o777 == 0o700
        assert (settings.data_dir / "catalogue.sqlite3").stat().st_mode & 0o777 == 0o600
        assert (settings.data_dir / "chroma").stat().st_mode & 0o777 == 0o700

    def test_an_open_directory_is_told_with_the_command_that_closes_it(
        self, grown: Grown, tmp_path: Path
    ) -> None:
        settings = settings_for(shutil.copytree(grown.before.data_dir, tmp_path / "the data"))
        settings.data_dir.chmod(0o755)
        assert privacy(settings) == (True, "")
        (settings.data_dir / "keys.json").write_text("{}")
        (settings.data_dir / "keys.json").chmod(0o640)
        ok, remedy = privacy(settings)
        assert not ok
        subprocess.run(remedy, shell=True, check=True)  # noqa: S602 - the command that a person is told to type
        assert privacy(settings) == (True, "")
        assert settings.data_dir.stat().st_mode & 0o077 == 0


def privacy(settings: IndexSettings) -> tuple[bool, str]:
    found = next(check for check in checks(settings) if check.name == "privacy")
    return found.ok, found.remedy
