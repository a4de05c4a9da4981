"""Damaged files, odd clocks, two writers, a large file: what is told, and that the index is whole after.

`same_as_untouched` compares everything that is stored, and searches in it, with an index that nothing happened to.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from digest import DigestEmbedder, settings_for

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import PolyciteError
from index.intake import Intake
from index.language.terms import word_terms
from index.settings import IndexSettings
from index.upkeep import make_index
from index.vectors import pointer

ROOT = Path(__file__).resolve().parents[2]


FUTURE = 4_070_908_800  # 2099-01-01, in seconds


@dataclass(frozen=True, slots=True)
class World:
    """A folder of documents and the index of it."""

    docs: Path
    settings: IndexSettings

    def index(self) -> list[tuple[str, str, str]]:
        """Make the index equal to the folder; returns what was left out."""
        return make_index(self.settings, [self.docs], embedder=DigestEmbedder()).skipped

    def copy(self, to: Path) -> World:
        """The same folder with another data directory."""
        return World(
            self.docs, settings_for(shutil.copytree(self.settings.data_dir, to), chroma_rebuild_share=1.0)
        )


def seen(world: World) -> object:
    """All that is stored, and what a few searches find."""
    rows = DigestEmbedder().embed_queries(["tar and rope", "yard 3", "barrels"])
    with Catalogue.open(world.settings.data_dir) as catalogue:
        assert catalogue.check() == []
    with Corpus.open(world.settings, manifest_expected=None) as corpus:
        stored = {
            info.path: (info.id, info.title, [s.id for s in corpus.sentences_of(info.id)])
            for info in corpus.documents()
        }
        found = [[match.id for match in corpus.search_sentences(row, top_k=5)] for row in rows]
        words = [match.id for match in corpus.search_text(words=word_terms("barrels of yard 3"), top_k=5)]
    return stored, found, words


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Twelve documents, their index, and its Chroma version."""
    root = tmp_path_factory.mktemp("untouched")
    (root / "docs").mkdir()
    for number in range(12):
        said = [
            f"Shed {i} of yard {number} holds {number * 7 + i} barrels of tar and rope." for i in range(20)
        ]
        (root / "docs" / f"{number}.txt").write_text(" ".join(said), "utf-8")
    world = World(root / "docs", settings_for(root / "data"))
    world.index()
    return world


@pytest.fixture
def world(untouched: World, tmp_path: Path) -> World:
    """A copy to be damaged."""
    return untouched.copy(tmp_path / "data")


# -- damage


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scrambled(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def removed(path: Path) -> None:
    path.unlink()


Damage = Callable[[Path], None]


CHROMA = [
    "chroma.sqlite3",
    "header.bin",
    "data_level0.bin",
    "length.bin",
    "link_lists.bin",
    "index_metadata.pickle",
]


@pytest.mark.parametrize("damage", [cut, removed], ids=lambda damage: damage.__name__)
def test_every_file_of_chroma_can_go_and_searches_are_exact(
    world: World, untouched: World, damage: Damage
) -> None:
    """One after the other, and what is there at last is rebuilt once."""
    expected, current = seen(untouched), pointer.read(world.settings.data_dir)
    assert current is not None
    version = world.settings.data_dir / "chroma" / current.version
    kept = world.settings.data_dir / "kept"
    shutil.copytree(version, kept)
    for name in CHROMA:
        for path in version.rglob(name):
            damage(path)
        assert seen(world) == expected, name
        shutil.rmtree(version)
        shutil.copytree(kept, version)
    damage(next(version.rglob("data_level0.bin")))
    shutil.rmtree(kept)
    assert world.index() == []
    made = pointer.read(world.settings.data_dir)
    assert made is not None
    assert made.version != current.version
    assert seen(world) == expected


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": "../../x", "store": "files"}', b'{"version": 7}'],
    ids=["empty", "torn", "list", "null", "no text", "path", "number"],
)
def test_a_damaged_pointer_is_a_missing_one(world: World, untouched: World, content: bytes) -> None:
    (world.settings.data_dir / "chroma" / "current.json").write_bytes(content)
    assert seen(world) == seen(untouched)


def test_a_pointer_with_values_of_another_kind_is_a_missing_one(world: World, untouched: World) -> None:
    path = world.settings.data_dir / "chroma" / "current.json"
    values = json.loads(path.read_text("utf-8"))
    for name, wrong in (("version", "../../etc"), ("version", 7), ("chunks", {"count": "x", "upto": None})):
        path.write_text(json.dumps({**values, name: wrong}), "utf-8")
        assert seen(world) == seen(untouched), name


@pytest.mark.parametrize("damage", [cut, scrambled, removed], ids=lambda damage: damage.__name__)
def test_a_damaged_catalogue_says_what_to_type_and_that_makes_it_whole(
    world: World, untouched: World, damage: Damage
) -> None:
    path = world.settings.data_dir / "catalogue.sqlite3"
    damage(path)
    if path.exists():
        with pytest.raises(
            PolyciteError, match=r"delete it and run `rag index`|delete the catalogue"
        ) as caught:
            world.index()
        assert "\n" not in str(caught.value)
        path.unlink()
    assert world.index() == []
    assert seen(world) == seen(untouched)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [("", "manifest"), ("{}", "manifest"), ('{"model": 1}', "manifest"), ("\ufffd", "manifest")],
    ids=["empty", "no fields", "too few", "no json"],
)
def test_a_damaged_manifest_says_what_to_do(world: World, manifest: str, said: str) -> None:
    with closing(sqlite3.connect(world.settings.data_dir / "catalogue.sqlite3")) as connection, connection:
        connection.execute("UPDATE generations SET manifest = ?", [manifest])
    with pytest.raises(PolyciteError, match="delete the catalogue and run `rag index`") as caught:
        Corpus.open(world.settings, manifest_expected=None)
    assert said in str(caught.value)


@pytest.mark.parametrize("damage", [cut, scrambled, removed], ids=lambda damage: damage.__name__)
def test_damaged_measurements_of_languages_are_made_again(
    world: World, untouched: World, damage: Damage
) -> None:
    (path,) = (world.settings.data_dir / "models").glob("languages-*.npz")
    damage(path)
    (world.docs / "more.txt").write_text("Another yard has 12 barrels.", "utf-8")
    try:
        assert world.index() == []
    finally:
        (world.docs / "more.txt").unlink()
    assert path.is_file()
    world.index()
    assert seen(world) == seen(untouched)


# -- the clock, and two at once


def test_a_clock_that_goes_back_changes_nothing(world: World, untouched: World) -> None:
    """Everything was written in 2099, as the clock says now; files that change are noticed by what they hold."""
    data = world.settings.data_dir
    with closing(sqlite3.connect(data / "catalogue.sqlite3")) as connection, connection:
        connection.execute("UPDATE generations SET created = '2099-01-01T00:00:00+00:00'")
        connection.execute("UPDATE documents SET added_at = '2099-01-01T00:00:00+00:00'")
    for path in [*data.rglob("*"), data, *world.docs.iterdir()]:
        os.utime(path, (FUTURE, FUTURE))
    assert seen(world) == seen(untouched)
    text = (world.docs / "0.txt").read_text("utf-8")
    (world.docs / "0.txt").write_text("It is another text of one sentence.", "utf-8")
    os.utime(world.docs / "0.txt", (0, 0))
    try:
        world.index()
        assert seen(world) != seen(untouched)
        with Intake(world.settings, DigestEmbedder()) as intake:
            jobs = [
                intake.submit([(f"{i}.txt", write_to(data / f"{i}", f"Upload {i}."))]).id for i in range(2)
            ]
            assert [job.id for job in intake.jobs()] == jobs[::-1], (
                "the newest first, whatever the clock says"
            )
            until = time.monotonic() + 120
            while intake.waiting() and time.monotonic() < until:
                time.sleep(0.02)
            assert [job.state for job in intake.jobs()] == ["done", "done"]
    finally:
        (world.docs / "0.txt").write_text(text, "utf-8")
    world.index()
    assert seen(world) == seen(untouched)


def write_to(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, "tests")
from digest import DigestEmbedder, settings_for
from index.errors import PolyciteError
from index.ownership import own
from index.upkeep import make_index
sys.stdin.readline()
try:
    with own(Path(sys.argv[1]), purpose="rag index"):
        settings = settings_for(Path(sys.argv[1]), chroma_rebuild_share=1.0)
        make_index(settings, [Path(sys.argv[2])], embedder=DigestEmbedder(pause=0.001))
except PolyciteError as error:
    print(error)
    sys.exit(1)
"""


def test_of_two_writers_one_writes_and_the_other_is_told(world: World, untouched: World) -> None:
    (world.docs / "more.txt").write_text("Another yard has 12 barrels. " * 300, "utf-8")
    command = [sys.executable, "-c", _WRITER, str(world.settings.data_dir), str(world.docs)]
    try:
        writers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
            for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        said = [writer.communicate()[0] for writer in writers]
    finally:
        (world.docs / "more.txt").unlink()
    codes = [writer.returncode for writer in writers]
    # Where one was over before the other began, both have done their work.
    assert sorted(codes) in ([0, 1], [0, 0])
    for code, line in zip(codes, said, strict=True):
        assert (code == 0) == (line == "")
        assert code == 0 or "is in use by `rag index` (pid " in line
    world.index()
    assert seen(world) == seen(untouched)


def test_a_file_of_200_megabytes_is_left_out_with_a_reason(world: World, untouched: World) -> None:
    path = world.docs / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    try:
        ((name, reason, detail),) = world.index()
        assert (name, reason) == ("huge.txt", "too_large")
        assert detail == "it has 200.0 MB, more than the 50 MB allowed; split it or raise RAG_MAX_FILE_MB"
        with Intake(world.settings, DigestEmbedder()) as intake:
            (file,) = intake.submit([("huge.txt", path)]).files
            assert (file.state, file.reason) == ("refused", "too_large")
    finally:
        path.unlink()
    world.index()
    assert seen(world) == seen(untouched)
