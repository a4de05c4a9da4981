"""What every catalogue promises, in SQLite and PostgreSQL: whole documents or nothing, whatever happens between."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, ForeignKeyConstraint, Integer, MetaData, Table, func, insert, inspect, select
from stored import DIMENSION, FOLDER, MANIFEST, SCRIPTS, add, entry, file, numbered, whole

from index.catalogue import Catalogue, Entry, Manifest
from index.catalogue.schema import EARLIER_SPANS, Number, Text, documents
from index.errors import IndexMissing, UsageError, WorkError

if TYPE_CHECKING:
    from conftest import Opened

    from index.catalogue import CatalogueReader, Generation

OTHER = replace(MANIFEST, chunk_tokens=64)


# -- what is stored comes back


@pytest.mark.parametrize(
    "each",
    [SCRIPTS, entry("one.txt", ["One."]), entry("empty.txt", []), entry("twice.txt", ["Same.", "Same."])],
    ids=["many scripts", "one sentence", "no text", "a repeated sentence"],
)
def test_a_document_comes_back_as_it_was_given(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader, each: Entry
) -> None:
    assert add(catalogue, generation, each) == [True]
    assert whole(reader, each)
    assert catalogue.check() == []


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    # Normalised text has no NUL, the one character that PostgreSQL does not store.
    texts=st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=8
    )
)
def test_any_text_comes_back_as_it_was_given(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader, texts: list[str]
) -> None:
    each = entry("any.txt", texts)
    add(catalogue, generation, each)
    assert reader.document(each.document.id) == each.document
    assert reader.sentences([s.id for s in each.sentences]) == list(each.sentences)
    with catalogue.transaction(generation) as changes:
        changes.remove_document(each.document.id)
    assert reader.counts() == {"documents": 0, "chunks": 0, "sentences": 0}
    assert catalogue.check() == []


def test_spans_come_in_the_order_asked_for_and_missing_ones_are_left_out(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    each = numbered(1)
    add(catalogue, generation, each)
    ids = [each.chunks[2].id, "missing:0:1", each.chunks[0].id]
    assert reader.chunks(ids) == [each.chunks[2], each.chunks[0]]
    assert reader.sentences_of(each.document.id, 2, 3) == list(each.sentences[2:4])
    assert np.array_equal(reader.sentence_vectors(each.document.id, 2, 3), each.sentence_vectors[2:4])
    assert reader.sentence_vectors("missing").shape == (0, DIMENSION)
    vectors = reader.chunk_vectors(ids)
    assert vectors.keys() == {each.chunks[2].id, each.chunks[0].id}
    assert np.array_equal(vectors[each.chunks[2].id], each.chunk_vectors[2])


def test_documents_are_listed_by_path_a_page_at_a_time(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, *(numbered(i) for i in (3, 1, 2)))
    assert [info.path for info in reader.documents()] == ["1.txt", "2.txt", "3.txt"]
    assert [info.path for info in reader.documents(limit=1, offset=1)] == ["2.txt"]
    info = reader.documents()[0]
    assert (info.chunks, info.sentences) == (3, 6)
    assert info.characters == len(numbered(1).document.text)


def test_parallel_documents_share_a_source(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    url = "https://example.org/x"
    sources = [("sv", url), ("bn", url), ("hi", "https://example.org/y"), ("en", None), ("vi", None)]
    entries = [entry(f"{code}.txt", [code], language=code, source_url=source) for code, source in sources]
    add(catalogue, generation, *entries)
    keys = {each.document.language: each.document.id for each in entries}
    assert reader.parallel(keys["sv"]) == [(keys["bn"], "bn")]
    assert reader.parallel(keys["hi"]) == []
    assert reader.parallel(keys["en"]) == []
    assert reader.document_ids(languages=["bn", "hi"]) == {keys["bn"], keys["hi"]}
    assert reader.document_ids(languages=["bn"], among=[keys["sv"]]) == frozenset()
    assert reader.document_ids(among=[keys["sv"], "missing"]) == {keys["sv"]}


# -- changes


def test_adding_a_file_again_keeps_its_document_and_a_changed_one_replaces_it(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    old, new = entry("a.txt", ["Old words."]), entry("a.txt", ["New words."])
    add(catalogue, generation, old)
    rows = reader.last_row("chunks")
    assert add(catalogue, generation, old) == [False]
    assert reader.last_row("chunks") == rows
    assert catalogue.files(generation)[0].skip_reason is None
    assert add(catalogue, generation, new) == [True]
    assert reader.document(old.document.id) is None
    assert whole(reader, new)
    assert [(f.path, f.document_id) for f in catalogue.files(generation)] == [("a.txt", new.document.id)]
    assert catalogue.check() == []


def test_the_same_content_under_another_name_is_a_duplicate(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    first, second = entry("a.txt", ["Same."]), entry("b.txt", ["Same."])
    assert add(catalogue, generation, first, second) == [True, False]
    records = catalogue.files_of(generation, first.document.id)
    assert [(f.path, f.skip_reason) for f in records] == [("a.txt", None), ("b.txt", "duplicate")]
    assert "a.txt" in records[1].detail
    assert reader.counts()["documents"] == 1


def test_when_the_owner_goes_a_duplicate_inherits_the_document(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    key = entry("a.txt", ["Same."]).document.id
    add(catalogue, generation, *(entry(path, ["Same."]) for path in ("a.txt", "c.txt", "b.txt")))
    with catalogue.transaction(generation) as changes:
        assert changes.remove_file(FOLDER, "a.txt")
    assert [info.path for info in reader.documents()] == ["b.txt"]
    document = reader.document(key)
    assert document is not None
    assert document.path == "b.txt"
    assert catalogue.check() == []
    add(catalogue, generation, entry("b.txt", ["Other."]))
    assert [info.path for info in reader.documents()] == ["b.txt", "c.txt"]
    with catalogue.transaction(generation) as changes:
        assert changes.remove_file(FOLDER, "c.txt")
        assert not changes.remove_file(FOLDER, "c.txt")
    assert reader.document(key) is None
    assert catalogue.check() == []


def test_a_file_that_becomes_unreadable_loses_its_document(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, numbered(1))
    with catalogue.transaction(generation) as changes:
        changes.skip(file("1.txt", skip_reason="garbled", detail="every third character is impossible"))
    assert reader.counts() == {"documents": 0, "chunks": 0, "sentences": 0}
    record = catalogue.files(generation)[0]
    assert (record.skip_reason, record.document_id) == ("garbled", None)
    with pytest.raises(UsageError, match="reason"), catalogue.transaction(generation) as changes:
        changes.skip(file("2.txt"))


def test_removing_a_document_forgets_all_of_its_files(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, entry("a.txt", ["Same."]), entry("b.txt", ["Same."]), numbered(1))
    with catalogue.transaction(generation) as changes:
        assert changes.remove_document(entry("a.txt", ["Same."]).document.id)
        assert not changes.remove_document("missing")
    assert [f.path for f in catalogue.files(generation)] == ["1.txt"]
    assert reader.counts()["documents"] == 1


def test_nothing_of_an_open_transaction_is_seen_and_an_error_takes_it_all_back(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, numbered(1))
    before = catalogue.state()
    with pytest.raises(ValueError, match="stop"), catalogue.transaction(generation) as changes:
        changes.add(numbered(2), file=file("2.txt"))
        changes.remove_file(FOLDER, "1.txt")
        assert whole(reader, numbered(1))
        assert reader.counts()["documents"] == 1
        raise ValueError("stop")
    assert whole(reader, numbered(1))
    assert reader.counts()["documents"] == 1
    assert catalogue.state() == before


def test_row_numbers_are_never_given_twice(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, numbered(1), numbered(2))
    last = reader.last_row("sentences")
    with catalogue.transaction(generation) as changes:
        changes.remove_file(FOLDER, "2.txt")
        changes.remove_file(FOLDER, "1.txt")
    add(catalogue, generation, numbered(3))
    assert reader.row_numbers("sentences", after=0).min() == last + 1


def test_a_snapshot_is_of_one_moment_for_its_thread_alone(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, numbered(1))
    with ThreadPoolExecutor(1) as other:
        with catalogue.snapshot():
            before = catalogue.state(), reader.counts()
            add(catalogue, generation, numbered(2))
            with catalogue.snapshot():
                assert (catalogue.state(), reader.counts()) == before
            assert other.submit(reader.counts).result()["documents"] == 2
            assert (catalogue.state(), reader.counts()) == before
        assert reader.counts()["documents"] == 2
        with pytest.raises(UsageError), catalogue.snapshot():
            assert reader.counts()["documents"] == 2
            raise UsageError("anything")
        add(catalogue, generation, numbered(3))
        assert reader.counts()["documents"] == 3


def test_the_revision_moves_with_every_change_and_only_then(
    catalogue: Catalogue, generation: Generation
) -> None:
    before = catalogue.state()
    with catalogue.transaction(generation):
        pass
    assert catalogue.state() == before
    add(catalogue, generation, numbered(1))
    added = catalogue.state()
    assert (added.revision, added.removals) == (before.revision + 1, before.removals)
    with catalogue.transaction(generation) as changes:
        changes.remove_file(FOLDER, "1.txt")
    assert catalogue.state().removals == before.removals + 1


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda e: replace(e, tokens=e.tokens[1:]), "token pairs"),
        (lambda e: replace(e, chunk_vectors=e.chunk_vectors[1:]), "shape"),
        (lambda e: replace(e, chunk_vectors=e.chunk_vectors[:, 1:]), "shape"),
        (lambda e: replace(e, chunk_vectors=e.chunk_vectors * 2), "length 1"),
        (lambda e: replace(e, sentence_vectors=e.sentence_vectors * np.float32(np.nan)), "length 1"),
        (lambda e: replace(e, sentences=[replace(s, start=s.start + 1) for s in e.sentences]), "not a span"),
        (lambda e: replace(e, chunks=[replace(c, document_id="other") for c in e.chunks]), "not a span"),
    ],
    ids=["tokens", "rows", "dimension", "length", "nan", "offsets", "other document"],
)
def test_parts_that_do_not_fit_are_refused(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader, spoil: object, match: str
) -> None:
    with pytest.raises(UsageError, match=match):
        add(catalogue, generation, spoil(numbered(1)))  # type: ignore[operator]
    assert reader.counts()["documents"] == 0


# -- generations


def test_the_first_generation_is_live_and_an_equal_manifest_continues_it(catalogue: Catalogue) -> None:
    assert catalogue.live() is None
    first = catalogue.begin(MANIFEST)
    assert first.state == "live"
    assert catalogue.begin(Manifest.from_json(MANIFEST.to_json())) == first
    assert catalogue.live() == first


def test_another_manifest_is_built_beside_the_live_one_and_swapped_in(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, numbered(1), numbered(2))
    beside = catalogue.begin(OTHER)
    assert beside.state == "building"
    add(catalogue, beside, numbered(1))
    assert catalogue.live() == generation
    assert reader.counts()["documents"] == 2
    assert reader.frequencies([("words", "document")]) == {("words", "document"): 6}
    assert catalogue.begin(OTHER) == beside
    catalogue.make_live(beside)
    live = catalogue.live()
    assert live is not None
    assert (live.id, live.manifest) == (beside.id, OTHER)
    assert reader.counts()["documents"] == 0
    assert catalogue.reader(beside).counts()["documents"] == 1
    assert catalogue.check() == []
    catalogue.make_live(beside)
    with pytest.raises(WorkError, match="gone"), catalogue.transaction(generation):
        pass
    with pytest.raises(WorkError, match="gone"):
        catalogue.make_live(generation)


def test_an_unfinished_generation_is_dropped_when_another_is_wanted(
    catalogue: Catalogue, generation: Generation
) -> None:
    beside = catalogue.begin(OTHER)
    add(catalogue, beside, numbered(1))
    assert catalogue.begin(MANIFEST) == generation
    assert catalogue.generations() == [generation]
    assert catalogue.reader(beside).counts()["documents"] == 0


def test_spans_of_an_earlier_version_go_with_the_generation_that_they_are_of(
    catalogue: Catalogue, generation: Generation
) -> None:
    add(catalogue, generation, numbered(1), numbered(2))
    half_built = catalogue.begin(replace(MANIFEST, chunk_tokens=32))
    add(catalogue, half_built, numbered(1))
    spans = EarlierSpans(catalogue)
    assert spans.count() == 3, "one of each document"
    beside = catalogue.begin(OTHER)
    add(catalogue, beside, numbered(1))
    assert spans.count() == 2, "programs of that version answer from the live one"
    catalogue.make_live(beside)
    assert spans.count() is None, "the table is dropped"
    assert catalogue.check() == []
    assert add(catalogue, beside, numbered(2)) == [True]


class EarlierSpans:
    """A table of an earlier version, which held on to every document that there is."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._table = Table(
            EARLIER_SPANS.name,
            MetaData(),
            Column("row", Number, primary_key=True),
            Column("generation", Integer, nullable=False),
            Column("document_id", Text, nullable=False),
            ForeignKeyConstraint(["generation", "document_id"], [documents.c.generation, documents.c.id]),
        )
        held = select(documents.c.generation, documents.c.id)
        with catalogue._database.write() as connection:
            self._table.create(connection)
            connection.execute(
                insert(self._table).from_select([self._table.c.generation, self._table.c.document_id], held)
            )

    def count(self) -> int | None:
        """How many rows it has; None: it is gone."""
        with self._catalogue._database.read() as connection:
            if not inspect(connection).has_table(self._table.name):
                return None
            return connection.execute(select(func.count()).select_from(self._table)).scalar_one()


def test_the_corpus_fingerprint_depends_on_the_documents_alone(
    catalogue: Catalogue, generation: Generation
) -> None:
    add(catalogue, generation, numbered(1), numbered(2))
    one = catalogue.corpus_fingerprint(generation)
    beside = catalogue.begin(OTHER)
    add(catalogue, beside, numbered(2), numbered(1))
    assert catalogue.corpus_fingerprint(beside) == one
    add(catalogue, beside, numbered(3))
    assert catalogue.corpus_fingerprint(beside) != one


def test_a_catalogue_that_nobody_made_is_missing(opened: Opened) -> None:
    with pytest.raises(IndexMissing, match="rag index"):
        opened(create=False)


def test_folders_are_remembered(opened: Opened) -> None:
    with opened() as catalogue:
        assert catalogue.folders() == []
        catalogue.set_folders(["/a", "/বাংলা"])
    with opened(create=False) as catalogue:
        assert catalogue.folders() == ["/a", "/বাংলা"]


def test_notes_are_kept_and_changed_by_what_they_were(catalogue: Catalogue) -> None:
    assert catalogue.note("one") is None
    assert catalogue.change_note("one", lambda before: f"{before}, then 1") == "None, then 1"
    assert catalogue.change_note("one", lambda before: f"{before}, then 2") == "None, then 1, then 2"
    with pytest.raises(UsageError, match="no"):
        catalogue.change_note("one", _refuse)
    assert catalogue.note("one") == "None, then 1, then 2"
    assert catalogue.note("two") is None


def _refuse(_before: str | None) -> str:
    raise UsageError("no")


def test_what_no_text_can_hold_is_not_found(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
) -> None:
    add(catalogue, generation, numbered(1))
    assert reader.document("a\0b") is None
    assert reader.infos(["a\0b", "\ud800", numbered(1).document.id]).keys() == {numbered(1).document.id}
