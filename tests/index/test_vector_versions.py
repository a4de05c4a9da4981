"""Versions of the vectors: built beside the one in service, checked, switched, mended."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from stored import (
    MANIFEST,
    Case,
    configured_for,
    filled,
    in_use,
    numbered,
    unit,
)

from index.corpus import Corpus
from index.errors import WorkError
from index.vectors import build, pointer
from index.vectors.builder import Builder
from index.vectors.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from index.types import Match


ROOT = Path(__file__).resolve().parents[2]
BUILD = [sys.executable, "-m", "index.vectors.build"]


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path / "data")
    yield made
    made.close()


def test_a_rebuild_in_its_own_process_reports_and_switches(case: Case) -> None:
    seen: list[tuple[int, int]] = []
    with Builder(case.data_dir) as builder:
        made = builder.build(case.generation.id, progress=lambda done, rows: seen.append((done, rows)))
    assert seen[-1] == (540, 540)
    assert (made.chunks.count, made.sentences.count) == (180, 360)
    case.agrees()
    assert case.corpus.vector_version == made.version


def test_the_old_version_is_deleted_when_nobody_uses_it(case: Case) -> None:
    first = case.build()
    case.agrees()
    second = build.build(case.data_dir, generation=case.generation.id, keep=[first.version])
    folder = pointer.folder(case.data_dir)
    assert (folder / first.version).is_dir()
    case.agrees()
    assert not (folder / first.version).exists()
    third = case.build()
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [third.version]
    assert second.version != third.version


def test_leftovers_are_deleted_by_the_next_build(case: Case) -> None:
    leftover = pointer.folder(case.data_dir) / "v0123"
    leftover.mkdir(parents=True)
    (leftover / "chroma.sqlite3").write_bytes(b"half")
    case.build()
    assert not leftover.exists()


def test_a_build_of_a_generation_that_is_gone_fails_in_one_line(case: Case) -> None:
    case.build()
    before = pointer.read(case.data_dir)
    with Builder(case.data_dir) as builder, pytest.raises(WorkError, match=r"gone.*rag index") as caught:
        builder.build(99)
    assert "Traceback" not in str(caught.value)
    assert pointer.read(case.data_dir) == before


def test_a_build_that_writes_wrong_vectors_is_not_put_into_service(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = case.build()
    blocks = build._Source.batches

    def shuffled(source: build._Source) -> Iterator[tuple[object, NDArray[np.float32]]]:
        for keys, vectors in blocks(source):
            yield keys, unit(len(vectors), seed="wrong")

    monkeypatch.setattr(build._Source, "batches", shuffled)
    with pytest.raises(WorkError, match="rag index"):
        case.build()
    monkeypatch.undo()
    assert pointer.read(case.data_dir) == first
    assert [path.name for path in pointer.folder(case.data_dir).iterdir() if path.is_dir()] == [first.version]
    case.agrees()


def test_an_empty_corpus_can_be_built_and_searched(tmp_path: Path) -> None:
    catalogue, generation = filled(tmp_path, [])
    with catalogue, Corpus.open(configured_for(tmp_path), manifest_expected=MANIFEST) as corpus:
        build.build(tmp_path, generation=generation.id)
        assert corpus.search_chunks(unit(1, seed=0)[0], top_k=3) == []
        assert corpus.search_text(words=["x"], top_k=3) == []


def torn(case: Case) -> None:
    case.build()
    tear(case.data_dir)


def tear(data_dir: Path) -> None:
    current = pointer.read(data_dir)
    assert current is not None
    for path in (pointer.folder(data_dir) / current.version).glob("*/data_level0.bin"):
        os.truncate(path, 5)


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda _: None, "no version"),
        (lambda case: case.build() and None, None),
        (lambda case: [case.build(), case.remove("1.txt")], None),
        (lambda case: [case.build(), *(case.remove(f"{i}.txt") for i in range(20))], "newer or deleted"),
        (lambda case: [case.build(), *(case.add(numbered(100 + i)) for i in range(20))], "newer or deleted"),
        (torn, "damaged"),
    ],
    ids=["never built", "just built", "one removed", "many removed", "many added", "torn"],
)
def test_when_a_new_version_is_needed(case: Case, prepare: object, reason: str | None) -> None:
    prepare(case)  # type: ignore[operator]
    found = build.needed(Home(case.data_dir), case.catalogue.reader(case.generation), share=0.1)
    assert found is None if reason is None else reason in (found or "")


@pytest.mark.parametrize("damage", ["torn files", "missing files", "torn pointer", "pointer counts more"])
def test_a_damaged_version_is_logged_and_searched_without(
    case: Case, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = case.build()
    folder = pointer.folder(case.data_dir)
    if damage == "torn files":
        tear(case.data_dir)
    elif damage == "missing files":
        (folder / made.version).rename(folder / "elsewhere")
    elif damage == "torn pointer":
        (folder / "current.json").write_text('{"version": "v')
    else:
        counts = replace(made.sentences, count=made.sentences.count + 1)
        pointer.write(case.data_dir, replace(made, sentences=counts))
    with caplog.at_level(logging.WARNING):
        case.agrees()
    assert case.corpus.vector_version is None
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == (0 if damage == "torn pointer" else 1)
    assert all("rag index" in line for line in lines)
    case.build()
    case.agrees()
    assert case.corpus.vector_version is not None


# -- kill -9


def test_a_killed_build_leaves_the_old_version_in_service(tmp_path: Path) -> None:
    catalogue, generation = filled(tmp_path, [numbered(i, sentences=40) for i in range(60)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*BUILD, "--data-dir", str(tmp_path), "--generation", str(generation.id)]
    stays = numbered(7, sentences=40)
    chance = random.Random(3)
    switched = 0
    with catalogue, Corpus.open(configured_for(tmp_path), manifest_expected=MANIFEST) as corpus:
        build.build(tmp_path, generation=generation.id)
        for _ in range(4):
            before = pointer.read(tmp_path)
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(chance.uniform(0, 0.5))
                process.send_signal(signal.SIGKILL)
            found: list[Match] = corpus.search_sentences(stays.sentence_vectors[3], top_k=1)
            assert found[0].id == stays.sentences[3].id
            now = pointer.read(tmp_path)
            assert now is not None
            assert corpus.vector_version == now.version
            switched += now != before
        with Builder(tmp_path) as builder:
            made = builder.build(generation.id, keep=in_use(corpus))
        assert corpus.search_sentences(stays.sentence_vectors[3], top_k=1)[0].id == stays.sentences[3].id
        assert corpus.vector_version == made.version
    folder = pointer.folder(tmp_path)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [made.version]
    assert switched < 4


def test_a_build_ends_when_the_process_that_asked_for_it_is_gone(tmp_path: Path) -> None:
    catalogue, generation = filled(tmp_path, [numbered(1)])
    with catalogue:
        done = subprocess.run(
            [
                *BUILD,
                "--data-dir",
                str(tmp_path),
                "--generation",
                str(generation.id),
                "--parent",
                "999999999",
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "the process that asked for this build is gone\n"
    assert pointer.read(tmp_path) is None
