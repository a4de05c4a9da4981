"""Another chunker, and the Chroma version: built beside the one in service and swapped in."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from indexing import Bench

from index.catalogue import Catalogue, Manifest
from index.corpus import Corpus
from index.errors import IndexMismatch
from index.indexer import Indexer, Progress, manifest_for
from index.ownership import own
from index.upkeep import mend_vectors, vector_faults
from index.vectors import pointer

# -- another chunker


def test_another_chunk_size_is_built_beside_and_swapped_in(bench: Bench) -> None:
    bench.run()
    smaller = bench.settings.model_copy(update={"chunk_tokens": 32})
    seen: list[set[str]] = []
    with Corpus.open(bench.settings, manifest_expected=None) as reading:
        before = bench.state()

        def answers_meanwhile(_: Progress) -> None:
            vector = bench.embedder.embed_queries(["How long is the bridge?"])[0]
            seen.append({match.id for match in reading.search_chunks(vector, top_k=10)})

        with Catalogue.open(smaller.data_dir) as catalogue:
            summary = Indexer(catalogue, bench.embedder, smaller).run(
                [bench.folder], progress=answers_meanwhile
            )
        chunks = {chunk for ids in before.values() for chunk in ids[1:]}
        assert seen
        assert all(found and found <= chunks for found in seen), "the old index answers until the swap"
        assert reading.manifest.chunk_tokens == 32
    assert len(summary.added) == 4
    assert bench.faults() == []
    with pytest.raises(
        IndexMismatch, match=r"chunk_tokens 32, not 192.*`rag index`.*RAG_CHUNK_TOKENS back to 32"
    ):
        Corpus.open(bench.settings, manifest_expected=manifest_for(bench.embedder, bench.settings))


def test_an_index_of_an_earlier_version_is_built_anew_beside_it(bench: Bench) -> None:
    bench.make()
    before = bench.state()
    with closing(sqlite3.connect(bench.settings.data_dir / "catalogue.sqlite3")) as connection, connection:
        (text,) = connection.execute("SELECT manifest FROM generations").fetchone()
        earlier = replace(Manifest.from_json(text), chunker_version="1.1.1").to_json()
        connection.execute("UPDATE generations SET manifest = ?", [earlier])
    expected = manifest_for(bench.embedder, bench.settings)
    told = rf"chunker_version '1\.1\.1', not '{re.escape(expected.chunker_version)}'.*run `rag index`"
    with pytest.raises(IndexMismatch, match=told):
        Corpus.open(bench.settings, manifest_expected=expected)
    assert len(bench.make().added) == 4
    assert bench.state() == before
    with Corpus.open(bench.settings, manifest_expected=expected):
        assert bench.faults() == []


def test_an_interrupted_switch_leaves_the_old_index_and_is_completed(bench: Bench) -> None:
    bench.run()
    before = bench.state()
    smaller = bench.settings.model_copy(update={"chunk_tokens": 32})

    def stop(progress: Progress) -> None:
        if progress.texts:
            raise KeyboardInterrupt

    with Catalogue.open(smaller.data_dir) as catalogue, pytest.raises(KeyboardInterrupt):
        Indexer(catalogue, bench.embedder, smaller).run([bench.folder], progress=stop)
    assert bench.state() == before
    bench.settings = smaller
    bench.run()
    assert bench.state().keys() == before.keys()
    assert bench.faults() == []


# -- the Chroma version


def test_a_version_is_built_first_and_again_only_when_enough_moved(bench: Bench) -> None:
    bench.make()
    first = pointer.read(bench.settings.data_dir)
    assert first is not None
    bench.make()
    assert pointer.read(bench.settings.data_dir) == first
    bench.write("more.txt", "The lake is 14 metres deep.")
    bench.make(chroma_rebuild_share=0.9)
    assert pointer.read(bench.settings.data_dir) == first
    bench.make(chroma_rebuild_share=0.0)
    second = pointer.read(bench.settings.data_dir)
    assert second is not None
    assert second.chunks.count == first.chunks.count + 1


def test_without_its_chroma_server_the_index_is_whole_and_a_warning_says_so(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        summary = bench.make(chroma_url="http://127.0.0.1:9")
    assert summary.documents == 4
    assert "searches are exact" in caplog.text
    assert len(bench.state()) == 4


def _tear(data_dir: Path) -> Path:
    """Cut a file of the version in service in half."""
    found = sorted(pointer.folder(data_dir).rglob("data_level0.bin"))
    file = next(path for path in found if path.stat().st_size)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


@pytest.mark.parametrize("purpose", ["rag ask", None], ids=["a-reader-takes-the-directory", "its-owner"])
def test_a_torn_version_is_rebuilt_from_the_catalogue(
    bench: Bench, caplog: pytest.LogCaptureFixture, purpose: str | None
) -> None:
    bench.make()
    assert not mend_vectors(bench.settings, purpose=purpose), "a sound one is left alone"
    _tear(bench.settings.data_dir)
    assert vector_faults(bench.settings)
    with caplog.at_level(logging.WARNING):
        assert mend_vectors(bench.settings, purpose=purpose)
    assert "rebuilding them from the catalogue" in caplog.text
    assert vector_faults(bench.settings) == []


def test_a_torn_version_of_a_busy_directory_is_left_and_searches_are_exact(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.make()
    _tear(bench.settings.data_dir)
    with own(bench.settings.data_dir, purpose="rag index"), caplog.at_level(logging.WARNING):
        assert not mend_vectors(bench.settings, purpose="rag ask")
    assert "searches are exact" in caplog.text
    vector = bench.embedder.embed_queries(["How long is the bridge?"])[0]
    with Corpus.open(bench.settings, manifest_expected=None) as corpus:
        assert len(corpus.search_chunks(vector, top_k=10)) == 4
        assert corpus.vector_version is None
