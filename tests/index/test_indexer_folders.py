"""Which folders are indexed, and what becomes of the documents of those that are not any more."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from indexing import TEXTS, Bench

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import UsageError, WorkError
from index.indexer import Indexer, Progress
from index.settings import SHIPPED_DOCUMENTS
from index.upkeep import default_folders, first_folders, make_index, was_indexed

ROOT = Path(__file__).resolve().parents[2]


def test_several_folders_make_one_index(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "bridge.txt").write_text("Another bridge with the same file name, 77 metres long.", "utf-8")
    assert bench.run(bench.folder, other).documents == 5
    assert bench.run(other).documents == 1


def test_an_empty_folder_makes_an_empty_index_on_purpose(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    empty = tmp_path / "empty"
    empty.mkdir()
    summary = make_index(bench.settings, [empty], allow_empty=True, embedder=bench.embedder)
    assert (summary.documents, sorted(summary.removed)) == (0, sorted(TEXTS))
    assert bench.state() == {}


def test_a_missing_folder_is_named_before_anything_is_done(bench: Bench) -> None:
    with pytest.raises(UsageError, match=r"nowhere is not a folder: give the folder"):
        make_index(bench.settings, [bench.folder / "nowhere"], embedder=bench.embedder)
    assert not was_indexed(bench.settings)


def test_default_folders_hold_uploads_once_there_are_any(bench: Bench) -> None:
    assert default_folders(bench.settings) == [SHIPPED_DOCUMENTS]
    uploads = bench.settings.data_dir / "uploads"
    uploads.mkdir()
    assert default_folders(bench.settings) == [SHIPPED_DOCUMENTS, uploads]


def test_an_interrupted_first_run_is_known_with_its_folder(bench: Bench) -> None:
    def stop(progress: Progress) -> None:
        if progress.files_done == 3:
            raise KeyboardInterrupt

    bench.write("c.txt", b"")  # the third file; noted at once, before anything is embedded
    with pytest.raises(KeyboardInterrupt):
        make_index(bench.settings, [bench.folder], embedder=bench.embedder, progress=stop)
    assert not was_indexed(bench.settings)
    assert first_folders(bench.settings) == [bench.folder]
    bench.run()
    assert was_indexed(bench.settings)


# -- from one folder to another


LAKES = {
    "lake.txt": "The lake is 14 metres deep. It freezes in January.",
    "also bridge.txt": TEXTS["bridge.txt"],
    "hindi.txt": TEXTS["hindi.txt"],
    "mill.txt": "The mill grinds 300 sacks of rye in a week.",
}


@pytest.fixture
def lakes(tmp_path: Path) -> Path:
    """Another folder, of which two documents are in the bench's too."""
    folder = tmp_path / "lakes"
    folder.mkdir()
    for name, text in LAKES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def texts(bench: Bench) -> set[str]:
    with Corpus.open(bench.settings, manifest_expected=None) as corpus:
        documents = [corpus.document(info.id) for info in corpus.documents()]
    return {document.text.strip() for document in documents if document is not None}


def test_another_folder_is_the_index_afterwards_and_what_both_hold_moves(
    bench: Bench, lakes: Path, tmp_path: Path, make_data_dir: Callable[[Path], Path]
) -> None:
    bench.run()
    summary = bench.run(lakes)
    assert (sorted(summary.added), sorted(summary.removed)) == (sorted(LAKES), sorted(TEXTS))
    assert (summary.skipped, summary.changed, bench.faults()) == ([], [], [])
    fresh = Bench(lakes, make_data_dir(tmp_path / "fresh"), bench.embedder)
    fresh.run()
    assert bench.state() == fresh.state()
    assert bench.run(lakes).unchanged == len(LAKES)


@pytest.mark.parametrize("files_done", [1, 2, 3, 4])
def test_the_old_folder_answers_until_the_new_one_is_whole(
    bench: Bench, lakes: Path, monkeypatch: pytest.MonkeyPatch, files_done: int
) -> None:
    monkeypatch.setattr("index.indexer._FIRST_CHARACTERS", 1)
    monkeypatch.setattr("index.indexer._GROUP_CHARACTERS", 1)
    bench.run()
    old = texts(bench)

    def stop(progress: Progress) -> None:
        assert texts(bench) >= old
        if progress.files_done == files_done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_index(bench.settings, [lakes], embedder=bench.embedder, progress=stop)
    assert texts(bench) >= old
    summary = bench.run(lakes)
    assert summary.documents == len(LAKES)
    assert texts(bench) == set(LAKES.values())
    assert bench.faults() == []


def test_a_new_folder_that_cannot_be_stored_leaves_the_old_one(bench: Bench, lakes: Path) -> None:
    bench.run()
    old = texts(bench)

    class Failing:
        """The model, which fails at a text."""

        def __getattr__(self, name: str) -> object:
            return getattr(bench.embedder, name)

        def embed_passages(self, texts: Sequence[str], **options: Any) -> Any:
            if any("mill" in text for text in texts):
                raise WorkError("no more memory")
            return bench.embedder.embed_passages(texts, **options)

    with (
        Catalogue.open(bench.settings.data_dir) as catalogue,
        pytest.raises(WorkError, match="no more memory"),
    ):
        Indexer(catalogue, Failing(), bench.settings).run([lakes])  # type: ignore[arg-type]
    assert texts(bench) >= old


# -- nothing left


def _delete_all(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _cut_off(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        path.write_bytes(b"")


def _scramble(folder: Path) -> None:
    for path in folder.rglob("*.*"):
        path.write_bytes(bytes(range(256)) * 40)


LOSSES = [
    pytest.param(_delete_all, "and 4 would leave", id="empty"),
    pytest.param(_cut_off, "(bengali.txt: ", id="cut-off"),
    pytest.param(_scramble, "(bengali.txt: ", id="binaries"),
]


@pytest.mark.parametrize(("lose", "said"), LOSSES)
def test_a_folder_in_which_nothing_can_be_read_any_more_empties_no_index(
    bench: Bench, lose: Callable[[Path], None], said: str
) -> None:
    bench.run()
    before = bench.state()
    lose(bench.folder)
    with pytest.raises(
        WorkError, match="nothing was removed; look at the folder, or give --allow-empty"
    ) as caught:
        bench.run()
    assert f"no document that can be read in {bench.folder}" in str(caught.value)
    assert said in str(caught.value)
    assert bench.state() == before
    summary = make_index(bench.settings, [bench.folder], allow_empty=True, embedder=bench.embedder)
    assert (summary.documents, bench.state()) == (0, {})
    assert bench.run().documents == 0, "and what is empty may stay so"


@pytest.mark.parametrize(("lose", "said"), LOSSES)
def test_another_folder_in_which_nothing_can_be_read_empties_no_index(
    bench: Bench, lakes: Path, lose: Callable[[Path], None], said: str
) -> None:
    bench.run()
    before = bench.state()
    lose(lakes)
    with pytest.raises(WorkError, match="and 4 would leave the index: nothing was removed"):
        bench.run(lakes)
    assert bench.state() == before


def test_with_another_chunker_too_nothing_is_replaced_by_nothing(bench: Bench) -> None:
    bench.run()
    before = bench.state()
    _delete_all(bench.folder)
    with pytest.raises(WorkError, match="nothing was removed"):
        bench.run(chunk_tokens=32)
    assert bench.state() == before


def test_one_of_several_folders_may_not_be_emptied_either(bench: Bench, lakes: Path) -> None:
    bench.run(bench.folder, lakes)
    before = texts(bench)
    _delete_all(lakes)
    with pytest.raises(WorkError, match=f"in {lakes}, and 2 would leave the index"):
        bench.run(bench.folder, lakes)
    assert texts(bench) == before
    bench.run(bench.folder)
    assert texts(bench) == before - {LAKES["lake.txt"], LAKES["mill.txt"]}


def test_documents_that_moved_from_one_folder_to_another_are_not_lost(bench: Bench, lakes: Path) -> None:
    bench.run(bench.folder, lakes)
    before = texts(bench)
    for path in lakes.iterdir():
        path.rename(bench.folder / f"of the lakes {path.name}")
    bench.run(bench.folder, lakes)
    assert texts(bench) == before


def test_a_file_that_cannot_be_opened_keeps_what_is_indexed_of_it(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    before = bench.state()
    (bench.folder / "bridge.txt").rename(tmp_path / "away.txt")
    (bench.folder / "bridge.txt").symlink_to(bench.folder / "nowhere.txt")
    for _ in range(2):
        summary = bench.run()
        ((name, reason, detail),) = summary.skipped
        assert (name, reason, summary.failed) == ("bridge.txt", "unreadable", True)
        assert detail.endswith("until then what is indexed of it stays")
        assert bench.state() == before


_UNOPENED = """
import json, os, pwd, shutil, sys
from pathlib import Path
sys.path.insert(0, "tests")
from digest import DigestEmbedder, settings_for
from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import WorkError
from index.indexer import Indexer

root = Path(sys.argv[1])
settings = settings_for(root / "data", language_correction=0.0)


def stored():
    with Corpus.open(settings, manifest_expected=None) as corpus:
        return sorted(info.path for info in corpus.documents())


def run(folder, closed=None):
    if closed is not None:
        closed.chmod(0)
    try:
        with Catalogue.open(settings.data_dir, create=True) as catalogue:
            summary = Indexer(catalogue, DigestEmbedder(), settings).run([folder])
        return [[name, reason] for name, reason, _ in summary.skipped], stored()
    except WorkError as error:
        return str(error), stored()
    finally:
        if closed is not None:
            closed.chmod(0o700)


docs, other = root / "docs", root / "other"
seen = [run(docs), run(docs)]  # twice: all that a run imports is there
if os.geteuid() == 0:  # to whom every folder is open
    for path in [root, *root.rglob("*")]:
        shutil.chown(path, "nobody")
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
print(json.dumps([*seen, run(docs, docs / "sub"), run(docs, docs), run(other, other), run(docs)]))
"""


def test_a_folder_that_cannot_be_opened_keeps_what_is_indexed_of_it(lakes: Path) -> None:
    """In a process of its own, which becomes a user to whom folders can be closed."""
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are open to their owner alone
        root = Path(made)
        shutil.copytree(lakes, root / "docs/sub")
        (root / "docs/sub/lake.txt").rename(root / "docs/lake.txt")
        (root / "other").mkdir()
        (root / "other/new.txt").write_text("The new yard has 12 barrels.", "utf-8")
        command = [sys.executable, "-c", _UNOPENED, made]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, whole, sub_closed, closed, other_closed, again = json.loads(done.stdout)
    names = sorted(name if name == "lake.txt" else f"sub/{name}" for name in LAKES)
    assert first == whole == again == [[], names]
    assert sub_closed == [[["sub", "unreadable"]], names]
    assert closed == [[[".", "unreadable"]], names]
    assert other_closed[1] == names
    assert "no document that can be read" in other_closed[0]
    assert "and 4 would leave the index: nothing was removed" in other_closed[0]
