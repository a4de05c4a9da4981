"""Which folders are indexed, and what becomes of the documents of those that are not any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from indexing import TEXTS, Bench

from index.errors import UsageError
from index.indexer import Progress
from index.settings import SHIPPED_DOCUMENTS
from index.upkeep import default_folders, first_folders, make_index, was_indexed


def test_several_folders_make_one_index(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "bridge.txt").write_text("Another bridge with the same file name, 77 metres long.", "utf-8")
    assert bench.run(bench.folder, other).documents == 5
    assert bench.run(other).documents == 1


def test_an_empty_folder_makes_an_empty_index(bench: Bench, tmp_path: Path) -> None:
    bench.run()
    empty = tmp_path / "empty"
    empty.mkdir()
    summary = make_index(bench.settings, [empty], embedder=bench.embedder)
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
