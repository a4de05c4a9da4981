"""Vectors that several processes share: a Chroma server, and the pointer in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from chroma_server import ChromaForTests
from pydantic import SecretStr
from stored import ENTRIES, MANIFEST, add, numbered

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import IndexUnreachable
from index.settings import IndexSettings
from index.vectors import build, pointer
from index.vectors.builder import Builder
from index.vectors.home import Home

if TYPE_CHECKING:
    from postgres_server import PostgresForTests

    from index.catalogue import Generation


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaForTests]:
    server = ChromaForTests(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


class Both:
    """A shared corpus, open in two processes' ways: each has a data directory of its own."""

    def __init__(self, folder: Path, postgres: PostgresForTests, chroma: ChromaForTests) -> None:
        self.settings = IndexSettings(
            data_dir=folder / "one",
            database_url=SecretStr(postgres.url()),
            chroma_url=chroma.url,
            _env_file=None,
        )
        self.catalogue = Catalogue.configured(self.settings, create=True)
        self.generation: Generation = self.catalogue.begin(MANIFEST)
        add(self.catalogue, self.generation, *ENTRIES[:20])
        elsewhere = self.settings.model_copy(update={"data_dir": folder / "two"})
        self.corpora = [Corpus.open(each, manifest_expected=MANIFEST) for each in (self.settings, elsewhere)]

    @property
    def home(self) -> Home:
        return Home(self.settings.data_dir, self.settings.chroma_url, self.catalogue)

    def build(self) -> pointer.Pointer:
        url, database = self.settings.chroma_url, self.settings.database_url
        with Builder(self.settings.data_dir, chroma_url=url, database_url=database) as builder:
            return builder.build(self.generation.id)

    def agree(self) -> None:
        """Both find each of a few sentences by its own vector."""
        for each in (ENTRIES[3], ENTRIES[11]):
            for corpus in self.corpora:
                found = corpus.search_sentences(each.sentence_vectors[2], top_k=3)
                assert found[0].id == each.sentences[2].id
                assert found[0].score == pytest.approx(1, abs=1e-5)

    def close(self) -> None:
        for corpus in self.corpora:
            corpus.close()
        self.catalogue.close()


@pytest.fixture
def both(tmp_path: Path, postgres: PostgresForTests, chroma: ChromaForTests) -> Iterator[Both]:
    made = Both(tmp_path, postgres, chroma)
    yield made
    made.close()


def test_a_version_that_one_process_builds_serves_all(both: Both) -> None:
    both.agree()
    assert [corpus.vector_version for corpus in both.corpora] == [None, None]
    first = both.build()
    both.agree()
    assert [corpus.vector_version for corpus in both.corpora] == [first.version] * 2
    assert pointer.read(both.settings.data_dir) is None, "the pointer lies in the catalogue"
    add(both.catalogue, both.generation, numbered(900))
    for corpus in both.corpora:  # newer rows are searched beside it
        assert (
            corpus.search_chunks(numbered(900).chunk_vectors[0], top_k=1)[0].id == numbered(900).chunks[0].id
        )
    second = both.build()
    both.agree()
    assert [corpus.vector_version for corpus in both.corpora] == [second.version] * 2
    with both.home.store() as store:
        assert store.versions() == [second.version]


def test_a_server_that_is_away_is_said_and_then_searched_again(both: Both, chroma: ChromaForTests) -> None:
    both.build()
    both.corpora[0].check()
    both.agree()
    fresh = Corpus.open(both.settings, manifest_expected=MANIFEST)  # opens the version with its first search
    chroma.stop()
    try:
        for corpus in (*both.corpora, fresh):
            for call in (
                lambda corpus=corpus: corpus.search_chunks(ENTRIES[3].chunk_vectors[0], top_k=1),
                corpus.check,
            ):
                with pytest.raises(IndexUnreachable, match="RAG_CHROMA_URL"):
                    call()
    finally:
        chroma.start()
    both.corpora.append(fresh)
    for corpus in both.corpora:
        corpus.check()
    both.agree()


def test_a_server_that_lost_the_vectors_gets_new_ones(both: Both) -> None:
    lost = both.build()
    reader = both.catalogue.reader(both.generation)
    assert build.needed(both.home, reader, share=0.1) is None
    with both.home.store() as store:
        store.drop(lost.version)
    assert "does not have version" in (build.needed(both.home, reader, share=0.1) or "")
    both.build()
    assert build.needed(both.home, reader, share=0.1) is None
    both.agree()
