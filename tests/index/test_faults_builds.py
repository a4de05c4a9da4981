"""Two builds of the vectors at once: what a killed process left behind must not delete what the next run writes."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import filelock
import pytest
from digest import DigestEmbedder, settings_for

from index.catalogue import Catalogue
from index.errors import WorkError
from index.settings import IndexSettings
from index.upkeep import make_index, vector_faults
from index.vectors import build, pointer
from index.vectors.builder import Builder


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text(
        "The harbour was dredged in 1987. It is 412 metres long.", "utf-8"
    )
    settings = settings_for(tmp_path / "data")
    make_index(settings, [tmp_path / "docs"], embedder=DigestEmbedder())
    return settings


def generation(settings: IndexSettings) -> int:
    with Catalogue.open(settings.data_dir) as catalogue:
        live = catalogue.live()
        assert live is not None
        return live.id


def test_a_build_waits_for_another_and_says_so_when_that_does_not_end(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pointer.read(settings.data_dir)
    with filelock.FileLock(settings.data_dir / "chroma" / build.LOCK_NAME):
        monkeypatch.setattr(build, "_LOCK_SECONDS", 0.1)
        with pytest.raises(WorkError, match="another process is building the vectors: run `rag index` again"):
            build.build(settings.data_dir, generation=generation(settings))
    assert pointer.read(settings.data_dir) == before


def test_of_two_builds_at_once_one_is_in_service_and_whole(settings: IndexSettings) -> None:
    failed: list[Exception] = []

    def rebuild() -> None:
        try:
            with Builder(settings.data_dir) as builder:
                builder.build(generation(settings))
        except WorkError as error:
            failed.append(error)

    threads = [threading.Thread(target=rebuild) for _ in range(2)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert failed == []
    assert vector_faults(settings) == []
    current = pointer.read(settings.data_dir)
    assert current is not None
    versions = [path.name for path in (settings.data_dir / "chroma").iterdir() if path.is_dir()]
    assert versions == [current.version]
