"""The corpus: every search equals an exact one over what is committed, whatever state Chroma is in."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from stored import (
    ENTRIES,
    MANIFEST,
    Case,
    configured_for,
    entry,
    file,
    filled,
    in_use,
    numbered,
    unit,
)

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import IndexMismatch, IndexMissing, UsageError
from index.vectors import build, live

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.catalogue import Entry, Generation


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


@pytest.mark.parametrize("with_chroma", [False, True], ids=["exact", "chroma"])
def test_in_a_snapshot_nothing_comes_or_goes(case: Case, *, with_chroma: bool) -> None:
    vector = unit(1, seed=3)[0]

    def stored(corpus: Corpus) -> object:
        words = ["155", "document"]
        return corpus.search_text(words=words, top_k=180), corpus.frequencies(words=words), corpus.counts()

    if with_chroma:
        case.build()
    with case.corpus.snapshot() as corpus:
        nearest, before = corpus.search_chunks(vector, top_k=180), stored(corpus)
        case.remove("5.txt")
        case.add(numbered(100))
        assert (corpus.search_chunks(vector, top_k=180), stored(corpus)) == (nearest, before)
        with ThreadPoolExecutor(1) as other:
            other.submit(case.agrees).result()
        # The vectors are shared, and now another question's: of what they find, the snapshot reads what it holds.
        found = corpus.chunks([match.id for match in corpus.search_chunks(vector, top_k=200)])
        there, gone = {match.id for match in nearest}, {chunk.id for chunk in ENTRIES[5].chunks}
        assert there - gone <= {chunk.id for chunk in found} <= there
        assert stored(corpus) == before
    case.agrees()


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


def test_the_most_common_terms_are_left_out(tmp_path: Path) -> None:
    texts = [f"common n{i} x{i % 300}" for i in range(1200)]
    entries = [entry(f"{i}.txt", texts[i : i + 100], per_chunk=1) for i in range(0, 1200, 100)]
    catalogue, _ = filled(tmp_path, entries)
    with catalogue, Corpus.open(configured_for(tmp_path), manifest_expected=None) as corpus:
        assert corpus.frequencies(words=["common", "n7", "x7", "none"]) == {
            ("words", "common"): 1200, ("words", "n7"): 1, ("words", "x7"): 4, ("words", "none"): 0,
        }  # fmt: skip
        assert len(corpus.search_text(words=["common", "n7", "x7"], top_k=50)) == 50
        assert len(corpus.search_text(words=["common", "n7", "x7"], top_k=50, max_postings=1204)) == 4
        assert len(corpus.search_text(words=["common", "n7", "x7"], top_k=50, max_postings=4)) == 1
        # The rarest one is looked up all the same.
        assert len(corpus.search_text(words=["common", "x7"], top_k=50, max_postings=3)) == 4
        assert len(corpus.search_text(words=["common"], top_k=50, max_postings=3)) == 50


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
