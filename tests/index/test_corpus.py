"""The corpus: every search equals an exact one over what is committed, whatever state Chroma is in."""

from __future__ import annotations

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from stored import FOLDER, MANIFEST, entry, file, filled, numbered, unit

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import IndexMismatch, IndexMissing, UsageError, WorkError
from index.settings import IndexSettings
from index.vectors import build, live, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from index.catalogue import Entry, Generation
    from index.types import Match

ROOT = Path(__file__).resolve().parents[2]
BUILD = [sys.executable, "-m", "index.vectors.build"]
ENTRIES = [numbered(i) for i in range(60)]


def configured_for(data_dir: Path) -> IndexSettings:
    values: dict[str, Any] = {"data_dir": data_dir}
    return IndexSettings(**values)


def in_use(corpus: Corpus) -> list[str]:
    version = corpus.vector_version
    return [] if version is None else [version]


class Case:
    """A data directory, its catalogue, its corpus, and the documents that are in it now."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.catalogue, self.generation = filled(data_dir, ENTRIES)
        self.entries = {each.document.path: each for each in ENTRIES}
        self.settings = configured_for(data_dir)
        self.corpus = Corpus.open(self.settings, manifest_expected=MANIFEST)

    def close(self) -> None:
        self.corpus.close()
        self.catalogue.close()

    def build(self) -> pointer.Pointer:
        return build.build(self.data_dir, generation=self.generation.id)

    def add(self, each: Entry) -> None:
        with self.catalogue.transaction(self.generation) as changes:
            changes.add(each, file=file(each.document.path))
        self.entries[each.document.path] = each

    def remove(self, path: str) -> None:
        with self.catalogue.transaction(self.generation) as changes:
            changes.remove_file(FOLDER, path)
        del self.entries[path]

    def exact(
        self, vector: NDArray[np.float32], *, top_k: int, documents: frozenset[str] | None = None
    ) -> list[tuple[str, float]]:
        """The slow obvious search over sentences."""
        scored = [
            (sentence.id, float(row @ vector))
            for each in self.entries.values()
            if documents is None or each.document.id in documents
            for sentence, row in zip(each.sentences, each.sentence_vectors, strict=True)
        ]
        return sorted(scored, key=lambda item: -item[1])[:top_k]

    def agrees(self, *, top_k: int = 7, documents: frozenset[str] | None = None) -> None:
        """Compare a few searches with the slow obvious one."""
        for seed in range(3):
            vector = unit(1, seed=f"query {seed}")[0]
            found = self.corpus.search_sentences(vector, top_k=top_k, documents=documents)
            expected = self.exact(vector, top_k=top_k, documents=documents)
            assert [match.id for match in found] == [key for key, _ in expected]
            assert [match.score for match in found] == pytest.approx([s for _, s in expected], abs=1e-5)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path / "data")
    yield made
    made.close()


def ids(*entries: Entry) -> frozenset[str]:
    return frozenset(each.document.id for each in entries)


# -- search


def test_without_chroma_the_search_is_exact(case: Case) -> None:
    case.agrees()
    assert case.corpus.vector_version is None


def test_with_chroma_the_search_is_the_same(case: Case) -> None:
    made = case.build()
    case.agrees()
    assert case.corpus.vector_version == made.version


def test_newer_rows_are_found_and_deleted_ones_are_not(case: Case) -> None:
    case.build()
    case.agrees()
    version = case.corpus.vector_version
    case.add(numbered(100))
    case.agrees()
    case.remove("100.txt")
    case.agrees()
    for i in range(5):
        case.remove(f"{i}.txt")
        case.agrees()
    case.add(numbered(3))
    case.add(entry("7.txt", ["A changed text.", "Of two sentences."]))
    case.agrees()
    assert case.corpus.vector_version == version


def test_when_most_of_a_version_is_deleted_the_search_is_still_right(case: Case) -> None:
    case.build()
    for i in range(55):
        case.remove(f"{i}.txt")
    case.agrees(top_k=20)
    for i in range(55, 60):
        case.remove(f"{i}.txt")
    case.agrees()
    assert case.corpus.search_chunks(unit(1, seed=0)[0], top_k=3) == []


@pytest.mark.parametrize("exact_rows", [20_000, 0], ids=["few allowed rows", "many allowed rows"])
@pytest.mark.parametrize("with_chroma", [False, True], ids=["exact", "chroma"])
def test_filters(case: Case, monkeypatch: pytest.MonkeyPatch, *, exact_rows: int, with_chroma: bool) -> None:
    monkeypatch.setattr(live, "EXACT_ROWS", exact_rows)
    if with_chroma:
        case.build()
    newer = numbered(100)
    case.add(newer)
    case.remove("2.txt")
    for documents in (
        frozenset[str](),
        frozenset(["missing"]),
        ids(ENTRIES[1]),
        ids(ENTRIES[1], ENTRIES[2], newer),
        ids(*ENTRIES[10:50]),
    ):
        case.agrees(documents=documents)
        case.agrees(documents=documents)


def test_when_the_rows_asked_of_chroma_do_not_suffice_all_are_read(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "EXACT_ROWS", 0)
    monkeypatch.setattr(live, "_FETCH", (8, 16))
    case.build()
    case.agrees(documents=ids(ENTRIES[1]))
    for i in range(50):
        case.remove(f"{i}.txt")
    case.agrees(top_k=30)


@pytest.mark.parametrize("top_k", [1, 359, 360, 5000])
def test_any_number_of_results(case: Case, top_k: int) -> None:
    case.build()
    case.add(numbered(100))
    vector = unit(1, seed="k")[0]
    found = case.corpus.search_sentences(vector, top_k=top_k)
    assert [match.id for match in found] == [key for key, _ in case.exact(vector, top_k=top_k)]


@pytest.mark.parametrize(("size", "top_k"), [(15, 3), (16, 0)], ids=["other dimension", "top_k 0"])
@pytest.mark.parametrize("with_chroma", [False, True], ids=["exact", "chroma"])
def test_a_malformed_question_is_refused(case: Case, size: int, top_k: int, *, with_chroma: bool) -> None:
    if with_chroma:
        case.build()
    with pytest.raises(UsageError):
        case.corpus.search_chunks(np.ones(size, np.float32), top_k=top_k)


def test_changes_at_random_never_make_a_search_wrong(case: Case) -> None:
    chance = random.Random(4)
    unused = iter(range(200, 400))
    for step in range(60):
        action = chance.random()
        if action < 0.5:
            case.add(numbered(next(unused)))
        elif action < 0.9 and case.entries:
            case.remove(chance.choice(sorted(case.entries)))
        else:
            case.build()
        some = chance.sample(sorted(each.document.id for each in case.entries.values()), 5)
        case.agrees(documents=frozenset(some) if step % 3 == 0 else None)
    assert case.corpus.vector_version is not None


def test_searches_while_documents_come_and_go_and_versions_are_switched(case: Case) -> None:
    stays = ENTRIES[50]
    stop, failures, done = threading.Event(), list[BaseException](), list[int]()

    def ask() -> None:
        asked = 0
        try:
            while not stop.is_set():
                for vector, sentence in zip(stays.sentence_vectors, stays.sentences, strict=True):
                    found = case.corpus.search_sentences(vector, top_k=3)
                    assert found[0].id == sentence.id
                    known = case.corpus.sentences([match.id for match in found])
                    assert known[0] == sentence
                    asked += 1
        except BaseException as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)
        done.append(asked)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for i in range(4):
            case.add(numbered(300 + i))
            case.remove(f"{i}.txt")
            build.build(case.data_dir, generation=case.generation.id, keep=in_use(case.corpus))
    finally:
        stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert min(done) > 0


# -- text


def test_lexical_search_and_its_filter(case: Case) -> None:
    found = case.corpus.search_text(words=["155", "document"], top_k=3)
    assert case.corpus.chunks([found[0].id])[0].text.startswith("document 5 sentence 0 says 155")
    assert [m.score for m in found] == sorted((m.score for m in found), reverse=True)
    only = ids(ENTRIES[7])
    found = case.corpus.search_text(words=["155", "document"], top_k=9, documents=only)
    assert {match.id for match in found} == {chunk.id for chunk in ENTRIES[7].chunks}
    assert case.corpus.search_text(words=[], keys=[], top_k=3) == []
    assert len(case.corpus.search_text(words=[], keys=["key2"], top_k=99)) == 60


def test_terms_that_are_everywhere_are_left_out_of_a_large_corpus(tmp_path: Path) -> None:
    texts = [f"common n{i} x{i % 300}" for i in range(1200)]
    entries = [entry(f"{i}.txt", texts[i : i + 100], per_chunk=1) for i in range(0, 1200, 100)]
    catalogue, _ = filled(tmp_path, entries)
    with catalogue, Corpus.open(configured_for(tmp_path), manifest_expected=None) as corpus:
        assert corpus.document_frequency(["common", "n7", "x7", "none"]) == {
            "common": 1200, "n7": 1, "x7": 4, "none": 0,
        }  # fmt: skip
        assert len(corpus.search_text(words=["common", "n7", "x7"], top_k=50)) == 4
        assert len(corpus.search_text(words=["common", "n7"], top_k=50, max_document_share=1.0)) == 50
        # When there is no other term, the rarest one is looked up all the same.
        assert len(corpus.search_text(words=["common"], top_k=50)) == 50


def test_a_question_of_very_many_terms(case: Case) -> None:
    words = [f"w{i}" for i in range(5000)] + [str(i) for i in range(2000)]
    assert case.corpus.search_text(words=words, keys=words, top_k=5)


# -- what is there


def test_the_facade_reads_what_was_stored(case: Case) -> None:
    each = ENTRIES[5]
    key = each.document.id
    corpus = case.corpus
    assert corpus.document(key) == each.document
    assert corpus.document_infos([key, "missing"]).keys() == {key}
    assert corpus.documents(limit=2)[0].path == "0.txt"
    assert corpus.counts() == {"documents": 60, "chunks": 180, "sentences": 360}
    assert corpus.chunks_of(key) == list(each.chunks)
    assert corpus.sentences_of(key, 1, 1) == [each.sentences[1]]
    assert np.array_equal(corpus.sentence_vectors(key, 1, 1), each.sentence_vectors[1:2])
    assert np.array_equal(corpus.chunk_vectors([each.chunks[0].id])[each.chunks[0].id], each.chunk_vectors[0])
    assert corpus.parallel(key) == []
    assert corpus.document_ids(languages=["en"]) == ids(*ENTRIES)
    assert corpus.manifest == MANIFEST
    before, revision = corpus.fingerprint, corpus.revision()
    case.add(numbered(100))
    assert corpus.fingerprint != before
    assert corpus.revision() == revision + 1


def test_nothing_indexed_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="rag index"):
        Corpus.open(configured_for(tmp_path), manifest_expected=MANIFEST)
    Catalogue.open(tmp_path, create=True).close()
    with pytest.raises(IndexMissing, match="rag index"):
        Corpus.open(configured_for(tmp_path), manifest_expected=MANIFEST)


@pytest.mark.parametrize(
    ("configured", "parts"),
    [
        (
            replace(MANIFEST, model="other"),
            ["'made-up'", "'other'", "rag index", "RAG_EMBED_MODEL back to made-up"],
        ),
        (replace(MANIFEST, chunk_tokens=64), ["192", "64", "RAG_CHUNK_TOKENS back to 192"]),
        (replace(MANIFEST, normaliser_version="2"), ["normaliser_version", "rag index"]),
    ],
    ids=["embedder", "chunker", "normaliser"],
)
def test_another_configuration_is_refused_with_its_remedies(
    case: Case, configured: object, parts: list[str]
) -> None:
    with pytest.raises(IndexMismatch) as caught:
        Corpus.open(case.settings, manifest_expected=configured)  # type: ignore[arg-type]
    text = str(caught.value)
    assert all(part in text for part in parts)
    assert "\n" not in text


def other_generation(case: Case) -> Generation:
    """A generation made with another chunker, with one document, not live yet."""
    made = case.catalogue.begin(replace(MANIFEST, chunk_tokens=64))
    with case.catalogue.transaction(made) as changes:
        changes.add(numbered(7), file=file("7.txt"))
    return made


def test_an_open_corpus_notices_that_another_index_went_live(case: Case) -> None:
    made = other_generation(case)
    case.agrees()
    case.catalogue.make_live(made)
    with pytest.raises(IndexMismatch, match="rag index"):
        case.corpus.search_chunks(unit(1, seed=0)[0], top_k=1)


def test_a_swap_is_seen_at_once_and_never_in_part(tmp_path: Path) -> None:
    case = Case(tmp_path)
    with case.catalogue, case.corpus, Corpus.open(case.settings, manifest_expected=None) as corpus:
        case.build()
        vector = numbered(7).sentence_vectors[0]
        assert len(corpus.search_sentences(vector, top_k=50)) == 50
        made = other_generation(case)
        assert len(corpus.search_sentences(vector, top_k=50)) == 50
        case.catalogue.make_live(made)
        found = corpus.search_sentences(vector, top_k=50)
        assert {match.id for match in found} == {s.id for s in numbered(7).sentences}
        assert corpus.vector_version is None
        build.build(tmp_path, generation=made.id)
        assert len(corpus.search_sentences(vector, top_k=50)) == 6
        assert corpus.vector_version is not None


# -- building and switching


def test_a_rebuild_in_its_own_process_reports_and_switches(case: Case) -> None:
    seen: list[tuple[int, int]] = []
    made = build.rebuild(
        case.data_dir, generation=case.generation.id, progress=lambda done, rows: seen.append((done, rows))
    )
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
    with pytest.raises(WorkError, match=r"gone.*rag index") as caught:
        build.rebuild(case.data_dir, generation=99)
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
    found = build.needed(case.data_dir, case.catalogue.reader(case.generation), share=0.1)
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
        made = build.rebuild(tmp_path, generation=generation.id, keep=in_use(corpus))
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
