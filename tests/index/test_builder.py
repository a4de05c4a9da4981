"""The process that writes a version: ready before it is asked, and gone with whoever asked."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from digest import DigestEmbedder, settings_for

from index.errors import WorkError
from index.settings import IndexSettings
from index.upkeep import make_index, vector_faults
from index.vectors import pointer
from index.vectors.builder import Builder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> IndexSettings:
    """An index whose first version was written by a process that was ready before its last document was."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "mill.txt").write_text("The mill was built in 1856. It has four sails.", encoding="utf-8")
    settings: IndexSettings = settings_for(tmp_path_factory.mktemp("data"))
    make_index(settings, [folder], embedder=DigestEmbedder())
    return settings


@pytest.fixture
def builder(indexed: IndexSettings) -> Iterator[Builder]:
    with Builder(indexed.data_dir) as made:
        yield made


def test_the_first_version_is_whole(indexed: IndexSettings) -> None:
    made = pointer.read(indexed.data_dir)
    assert made is not None
    assert (made.chunks.count, made.sentences.count) == (1, 2)
    assert vector_faults(indexed) == []


def test_a_ready_process_builds_when_it_is_asked(indexed: IndexSettings, builder: Builder) -> None:
    assert builder.waits
    before = pointer.read(indexed.data_dir)
    seen: list[tuple[int, int]] = []
    made = builder.build(1, progress=lambda done, rows: seen.append((done, rows)))
    assert made == pointer.read(indexed.data_dir) != before
    assert seen[-1] == (3, 3)


def test_a_build_that_fails_says_why(builder: Builder) -> None:
    with pytest.raises(WorkError, match=r"generation 99 is gone: run `rag index` again"):
        builder.build(99)


def test_a_process_that_was_ended_is_told_from_one_that_waits(builder: Builder) -> None:
    os.kill(builder.pid, signal.SIGKILL)
    with pytest.raises(WorkError, match=r"it ended with code -9"):
        builder.build(1)
    assert not builder.waits


def test_it_ends_with_the_process_that_started_it(indexed: IndexSettings) -> None:
    program = (
        "import os, sys; from pathlib import Path; from index.vectors.builder import Builder; "
        "print(Builder(Path(sys.argv[1])).pid, flush=True); os._exit(0)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(indexed.data_dir)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.wait()
        assert _gone(pid)


def _gone(pid: int) -> bool:
    """Whether a process ends within a minute; it is none of our own children."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 60.0)[0])
    finally:
        os.close(watched)
