"""The catalogue's file: torn, foreign, unwritable, on a full disk, and after kill -9."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from stored import filled, numbered, whole

from index.catalogue import Catalogue
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, WorkError

if TYPE_CHECKING:
    pass

ROOT = Path(__file__).resolve().parents[2]
# -- what can go wrong with the file


def test_a_missing_catalogue_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="rag index"):
        Catalogue.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_data_directory_is_for_this_user_only(tmp_path: Path) -> None:
    Catalogue.open(tmp_path / "data", create=True).close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_file_that_is_no_catalogue_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalogue.sqlite3").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite3") as caught:
        Catalogue.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_torn_pages_are_found_by_the_check_or_named_by_the_error(tmp_path: Path) -> None:
    catalogue, _ = filled(tmp_path, [numbered(i) for i in range(40)])
    catalogue.close()
    path = tmp_path / "catalogue.sqlite3"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 8192 * 8192
    content[middle : middle + 4 * 8192] = os.urandom(4 * 8192)
    path.write_bytes(content)
    with Catalogue.open(tmp_path) as torn:
        try:
            assert torn.check()
        except IndexDamaged as error:
            assert "rag index" in str(error)


def test_a_catalogue_of_another_version_says_so(tmp_path: Path) -> None:
    Catalogue.open(tmp_path, create=True).close()
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite3")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(IndexMismatch, match="999"):
        Catalogue.open(tmp_path)


def test_rows_that_contradict_each_other_are_found(tmp_path: Path) -> None:
    catalogue, _ = filled(tmp_path, [numbered(i) for i in range(3)])
    catalogue.close()
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite3")
    connection.execute("DELETE FROM sentences WHERE row = 1")
    connection.execute("UPDATE chunks SET vector = x'00' WHERE row = 2")
    connection.execute("DELETE FROM chunks WHERE row = 3")
    connection.execute("DELETE FROM files WHERE path = '2.txt'")
    connection.commit()
    connection.close()
    with Catalogue.open(tmp_path) as broken:
        faults = broken.check()
    for part in ("sentences", "wrong size", "full-text", "one file"):
        assert any(part in fault for fault in faults)
    assert all("rag index" in fault for fault in faults)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WorkError, match="RAG_DATA_DIR"):
        Catalogue.open(tmp_path / "data", create=True)


def test_a_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match="RAG_DATA_DIR"):
        Catalogue.open(tmp_path / "file" / "data", create=True)


def test_a_full_disk_takes_the_transaction_back_and_says_so(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from stored import FOLDER, MANIFEST, file, numbered
from index.catalogue import Catalogue
from index.errors import WorkError
catalogue = Catalogue.open(Path(sys.argv[1]))
generation = catalogue.live()
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
try:
    with catalogue.transaction(generation) as changes:
        for i in range(100, 250):
            changes.add(numbered(i), file=file(f"{i}.txt"))
except WorkError as error:
    print(error)
"""
    catalogue, generation = filled(tmp_path, [numbered(1)])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) in done.stdout, done.stderr
    assert "disk" in done.stdout
    assert catalogue.reader(generation).counts()["documents"] == 1
    assert catalogue.check() == []
    catalogue.close()


# -- kill -9

WRITER = """
import sys
from pathlib import Path
from stored import FOLDER, MANIFEST, file, numbered
from index.catalogue import Catalogue
catalogue = Catalogue.open(Path(sys.argv[1]), create=True)
generation = catalogue.begin(MANIFEST)
i = int(sys.argv[2])
while True:
    with catalogue.transaction(generation) as changes:
        changes.add(numbered(i), file=file(f"{i}.txt"))
        if i % 3 == 0:
            changes.remove_file(FOLDER, f"{i - 3}.txt")
    print(i, flush=True)
    i += 1
"""


def environment() -> dict[str, str]:
    """For child processes that import the project and these tests' entries."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}


def test_kill_9_loses_nothing_acknowledged_and_leaves_nothing_half(tmp_path: Path) -> None:
    chance = random.Random(9)
    acknowledged = -1
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(acknowledged + 1)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as process:
            assert process.stdout is not None
            acknowledged = int(process.stdout.readline())
            time.sleep(chance.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        with Catalogue.open(tmp_path) as catalogue:
            live = catalogue.live()
            assert live is not None
            reader = catalogue.reader(live)
            assert catalogue.check() == []
            stored = {int(info.path.removesuffix(".txt")) for info in reader.documents()}
            # One more may have been committed than was acknowledged.
            assert max(stored) in (acknowledged, acknowledged + 1)
            last = max(stored)
            gone = {i - 3 for i in range(0, last + 1, 3)}
            assert stored == set(range(last + 1)) - gone
            assert all(whole(reader, numbered(i)) for i in sorted(stored)[-8:])
            acknowledged = last
