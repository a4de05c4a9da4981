"""A torn Chroma version is recognised from its files, before anything opens them."""

from __future__ import annotations

import os
import pickle
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import unit

from index.errors import IndexDamaged
from index.vectors.chroma_files import ChromaFiles
from index.vectors.health import check_version

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 700  # enough for links on upper levels
DIMENSION = 8


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version as the builder writes it."""
    folder = tmp_path_factory.mktemp("chroma")
    vectors = unit(ROWS, seed=1, dimension=DIMENSION)
    store = ChromaFiles(folder)
    store.write("v1", "chunks", [([f"c{i}" for i in range(ROWS)], vectors)], dimension=DIMENSION, rows=ROWS)
    store.write("v1", "sentences", [(["s0", "s1", "s2"], vectors[:3])], dimension=DIMENSION, rows=3)
    return folder / "v1"


@pytest.fixture
def version(sound: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(sound, tmp_path / "v1"))


def large(version: Path, name: str) -> Path:
    """A file of the larger collection's index."""
    return max(
        version.glob(f"*/{name}"), key=lambda path: path.parent.joinpath("data_level0.bin").stat().st_size
    )


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0" * 4096)


def sparse(path: Path) -> None:
    """Four terabytes that take no space: what a torn run can leave behind."""
    os.truncate(path, 4 * 10**12)


def zeroed(path: Path) -> None:
    """The right size without the content, as after a power cut."""
    size = path.stat().st_size
    os.truncate(path, size // 2)
    os.truncate(path, size)


def scrambled(path: Path) -> None:
    path.write_bytes(b"\xff" * path.stat().st_size)


def removed(path: Path) -> None:
    path.unlink()


INDEX_FILES = ["header.bin", "data_level0.bin", "length.bin", "link_lists.bin", "index_metadata.pickle"]


def test_a_sound_version_has_no_faults(sound: Path) -> None:
    assert check_version(sound) == []


def test_checking_changes_nothing(version: Path) -> None:
    before = {path: path.read_bytes() for path in version.rglob("*") if path.is_file()}
    check_version(version)
    assert {path: path.read_bytes() for path in version.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", INDEX_FILES)
@pytest.mark.parametrize("damage", [cut, emptied, removed], ids=lambda damage: damage.__name__)
def test_a_damaged_index_file_is_named(version: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(large(version, name))
    faults = check_version(version)
    assert any(name in fault for fault in faults)
    assert all(fault.startswith("chunks: ") for fault in faults)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("header.bin", scrambled),
        ("header.bin", grown),
        ("data_level0.bin", grown),
        ("data_level0.bin", zeroed),
        ("data_level0.bin", scrambled),
        ("data_level0.bin", sparse),
        ("link_lists.bin", grown),
        ("link_lists.bin", zeroed),
        ("link_lists.bin", scrambled),
        ("link_lists.bin", sparse),
        ("length.bin", grown),
        ("index_metadata.pickle", zeroed),
        ("index_metadata.pickle", scrambled),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_other_damage_is_named_too(version: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(large(version, name))
    assert any(name in fault for fault in check_version(version))


@pytest.mark.parametrize("damage", [cut, emptied, removed, scrambled], ids=lambda damage: damage.__name__)
def test_a_damaged_sqlite_file_is_named(version: Path, damage: Callable[[Path], None]) -> None:
    damage(version / "chroma.sqlite3")
    assert any("chroma.sqlite3" in fault for fault in check_version(version))


def test_a_header_that_counts_wrong_is_named(version: Path) -> None:
    path = large(version, "header.bin")
    content = bytearray(path.read_bytes())
    struct.pack_into("<Q", content, 20, ROWS - 1)
    path.write_bytes(content)
    assert check_version(version) == [f"chunks: header.bin counts {ROWS - 1} rows and chroma.sqlite3 {ROWS}"]


def test_index_files_that_are_missing_altogether_are_noticed(version: Path) -> None:
    shutil.rmtree(large(version, "header.bin").parent)
    assert check_version(version) == ["chunks: the index files are missing"]


def test_a_pickle_that_names_code_is_refused_without_running_it(version: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {marker}",)

    large(version, "index_metadata.pickle").write_bytes(pickle.dumps({"label_to_id": Evil()}))
    assert any("index_metadata.pickle" in fault for fault in check_version(version))
    assert not marker.exists()


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_what_is_no_version_has_faults(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    assert check_version(tmp_path / folder) == ["chroma.sqlite3 is missing"]


def test_a_damaged_version_is_not_opened(version: Path) -> None:
    cut(large(version, "data_level0.bin"))
    with pytest.raises(IndexDamaged, match=r"data_level0\.bin.*rag index"):
        ChromaFiles(version.parent).open("v1")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(INDEX_FILES), at=st.floats(0, 1), noise=st.binary(min_size=1, max_size=64))
def test_no_damage_makes_the_check_itself_fail(version: Path, name: str, at: float, noise: bytes) -> None:
    path = large(version, name)
    content = path.read_bytes()
    start = int(at * max(0, len(content) - len(noise)))
    path.write_bytes(content[:start] + noise + content[start + len(noise) :])
    try:
        assert isinstance(check_version(version), list)
    finally:
        path.write_bytes(content)
