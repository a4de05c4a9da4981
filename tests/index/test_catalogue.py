"""The catalogue: whole documents or nothing, whatever happens in between."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import DIMENSION, FOLDER, MANIFEST, entry, file, filled, numbered

from index.catalogue import Catalogue, Entry, Manifest
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, UsageError, WorkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.catalogue import Generation, Reader

ROOT = Path(__file__).resolve().parents[2]
OTHER = replace(MANIFEST, chunk_tokens=64)

SCRIPTS = entry(
    "scripts.txt",
    [
        "Cần Thơ công bố dữ liệu.",
        "ক্যান থো ৫৪০টি ডেটাসেট।",
        "कैन थो ने डेटा दिया।",
        "Öppna data 👩‍👩‍👧 é é.",
        "\U0001f600",
    ],
    language="vi",
    source_url="https://example.org/a?b=c#d",
)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "data", create=True) as opened:
        yield opened


@pytest.fixture
def generation(catalogue: Catalogue) -> Generation:
    return catalogue.begin(MANIFEST)


@pytest.fixture
def reader(catalogue: Catalogue, generation: Generation) -> Reader:
    return catalogue.reader(generation)


def add(catalogue: Catalogue, generation: Generation, *entries: Entry, folder: str = FOLDER) -> list[bool]:
    with catalogue.transaction(generation) as changes:
        return [changes.add(each, file=file(each.document.path, folder=folder)) for each in entries]


def whole(reader: Reader, each: Entry) -> bool:
    """Whether a document is stored with all of its parts, as they were given."""
    key = each.document.id
    words = each.tokens[0][0].split() if each.tokens else []
    found = reader.search_text(words=words, keys=[], key_weight=1, top_k=9999, among=frozenset([key]))
    return (
        reader.document(key) == each.document
        and reader.chunks_of(key) == list(each.chunks)
        and reader.sentences_of(key) == list(each.sentences)
        and np.array_equal(reader.sentence_vectors(key), each.sentence_vectors)
        and len(reader.block_of("chunks", [key]).rows) == len(each.chunks)
        and bool(found) == bool(each.chunks)
    )


# -- what is stored comes back


@pytest.mark.parametrize(
    "each",
    [SCRIPTS, entry("one.txt", ["One."]), entry("empty.txt", []), entry("twice.txt", ["Same.", "Same."])],
    ids=["many scripts", "one sentence", "no text", "a repeated sentence"],
)
def test_a_document_comes_back_as_it_was_given(
    catalogue: Catalogue, generation: Generation, reader: Reader, each: Entry
) -> None:
    assert add(catalogue, generation, each) == [True]
    assert whole(reader, each)
    assert catalogue.check() == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=8))
def test_any_text_comes_back_as_it_was_given(tmp_path: Path, texts: list[str]) -> None:
    each = entry("any.txt", texts)
    with Catalogue.open(tmp_path / "any", create=True) as catalogue:
        generation = catalogue.begin(MANIFEST)
        reader = catalogue.reader(generation)
        add(catalogue, generation, each)
        assert reader.document(each.document.id) == each.document
        assert reader.sentences([s.id for s in each.sentences]) == list(each.sentences)
        with catalogue.transaction(generation) as changes:
            changes.remove_document(each.document.id)
        assert reader.counts() == {"documents": 0, "chunks": 0, "sentences": 0}
        assert catalogue.check() == []


def test_spans_come_in_the_order_asked_for_and_missing_ones_are_left_out(
    catalogue: Catalogue, generation: Generation, reader: Reader
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
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    add(catalogue, generation, *(numbered(i) for i in (3, 1, 2)))
    assert [info.path for info in reader.documents()] == ["1.txt", "2.txt", "3.txt"]
    assert [info.path for info in reader.documents(limit=1, offset=1)] == ["2.txt"]
    info = reader.documents()[0]
    assert (info.chunks, info.sentences) == (3, 6)
    assert info.characters == len(numbered(1).document.text)


def test_parallel_documents_share_a_source(
    catalogue: Catalogue, generation: Generation, reader: Reader
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


def test_a_changed_file_replaces_its_document(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    old, new = entry("a.txt", ["Old words."]), entry("a.txt", ["New words."])
    add(catalogue, generation, old)
    assert add(catalogue, generation, new) == [True]
    assert reader.document(old.document.id) is None
    assert whole(reader, new)
    assert [(f.path, f.document_id) for f in catalogue.files(generation)] == [("a.txt", new.document.id)]
    assert catalogue.check() == []


def test_the_same_content_under_another_name_is_a_duplicate(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    first, second = entry("a.txt", ["Same."]), entry("b.txt", ["Same."])
    assert add(catalogue, generation, first, second) == [True, False]
    records = catalogue.files_of(generation, first.document.id)
    assert [(f.path, f.skip_reason) for f in records] == [("a.txt", None), ("b.txt", "duplicate")]
    assert "a.txt" in records[1].detail
    assert reader.counts()["documents"] == 1


def test_when_the_owner_goes_a_duplicate_inherits_the_document(
    catalogue: Catalogue, generation: Generation, reader: Reader
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


def test_adding_a_file_again_keeps_its_document(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    each = numbered(1)
    add(catalogue, generation, each)
    rows = reader.last_row("chunks")
    assert add(catalogue, generation, each) == [False]
    assert reader.last_row("chunks") == rows
    assert catalogue.files(generation)[0].skip_reason is None


def test_a_file_that_becomes_unreadable_loses_its_document(
    catalogue: Catalogue, generation: Generation, reader: Reader
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
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    add(catalogue, generation, entry("a.txt", ["Same."]), entry("b.txt", ["Same."]), numbered(1))
    with catalogue.transaction(generation) as changes:
        assert changes.remove_document(entry("a.txt", ["Same."]).document.id)
        assert not changes.remove_document("missing")
    assert [f.path for f in catalogue.files(generation)] == ["1.txt"]
    assert reader.counts()["documents"] == 1


def test_an_error_takes_the_whole_transaction_back(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    add(catalogue, generation, numbered(1))
    before = catalogue.state()
    with pytest.raises(ValueError, match="stop"), catalogue.transaction(generation) as changes:
        changes.add(numbered(2), file=file("2.txt"))
        changes.remove_file(FOLDER, "1.txt")
        raise ValueError("stop")
    assert whole(reader, numbered(1))
    assert reader.counts()["documents"] == 1
    assert catalogue.state() == before


def test_row_numbers_are_never_given_twice(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    add(catalogue, generation, numbered(1), numbered(2))
    last = reader.last_row("sentences")
    with catalogue.transaction(generation) as changes:
        changes.remove_file(FOLDER, "2.txt")
        changes.remove_file(FOLDER, "1.txt")
    add(catalogue, generation, numbered(3))
    assert reader.row_numbers("sentences", after=0).min() == last + 1


def test_a_reader_sees_nothing_of_an_open_transaction(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    with catalogue.transaction(generation) as changes:
        changes.add(numbered(1), file=file("1.txt"))
        assert reader.counts()["documents"] == 0
    assert reader.counts()["documents"] == 1


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
    catalogue: Catalogue, generation: Generation, reader: Reader, spoil: object, match: str
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
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    add(catalogue, generation, numbered(1), numbered(2))
    beside = catalogue.begin(OTHER)
    assert beside.state == "building"
    add(catalogue, beside, numbered(1))
    assert catalogue.live() == generation
    assert reader.counts()["documents"] == 2
    assert reader.frequencies(["document"], column="words") == {"document": 6}
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


def test_folders_are_remembered(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path, create=True) as catalogue:
        assert catalogue.folders() == []
        catalogue.set_folders(["/a", "/বাংলা"])
    with Catalogue.open(tmp_path) as catalogue:
        assert catalogue.folders() == ["/a", "/বাংলা"]


# -- what can go wrong with the file


def test_a_missing_catalogue_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="rag index"):
        Catalogue.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_data_directory_is_for_this_user_only(tmp_path: Path) -> None:
    Catalogue.open(tmp_path / "data", create=True).close()
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"not a database at all" * 500, b"SQLite format 3\0" + b"\xff" * 9000])
def test_a_file_that_is_no_catalogue_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "catalogue.sqlite3").write_bytes(content)
    with pytest.raises(IndexDamaged, match=r"catalogue\.sqlite3") as caught:
        Catalogue.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_torn_pages_are_found_by_the_check_or_named_by_the_error(tmp_path: Path) -> None:
    catalogue, _ = filled(tmp_path, [numbered(i) for i in range(40)])
    catalogue.close()
    path = tmp_path / "catalogue.sqlite3"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 8192 * 8192
    content[middle : middle + 4 * 8192] = os.urandom(4 * 8192)
    path.write_bytes(content)
    with Catalogue.open(tmp_path) as torn:
        try:
            assert torn.check()
        except IndexDamaged as error:
            assert "rag index" in str(error)


def test_a_catalogue_of_another_version_says_so(tmp_path: Path) -> None:
    Catalogue.open(tmp_path, create=True).close()
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite3")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(IndexMismatch, match="999"):
        Catalogue.open(tmp_path)


def test_rows_that_contradict_each_other_are_found(tmp_path: Path) -> None:
    catalogue, _ = filled(tmp_path, [numbered(i) for i in range(3)])
    catalogue.close()
    connection = sqlite3.connect(tmp_path / "catalogue.sqlite3")
    connection.execute("DELETE FROM sentences WHERE row = 1")
    connection.execute("UPDATE chunks SET vector = x'00' WHERE row = 2")
    connection.execute("DELETE FROM chunks WHERE row = 3")
    connection.execute("DELETE FROM files WHERE path = '2.txt'")
    connection.commit()
    connection.close()
    with Catalogue.open(tmp_path) as broken:
        faults = broken.check()
    for part in ("sentences", "wrong size", "full-text", "one file"):
        assert any(part in fault for fault in faults)
    assert all("rag index" in fault for fault in faults)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(WorkError, match="RAG_DATA_DIR"):
        Catalogue.open(tmp_path / "data", create=True)


def test_a_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkError, match="RAG_DATA_DIR"):
        Catalogue.open(tmp_path / "file" / "data", create=True)


def test_a_full_disk_takes_the_transaction_back_and_says_so(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from stored import FOLDER, MANIFEST, file, numbered
from index.catalogue import Catalogue
from index.errors import WorkError
catalogue = Catalogue.open(Path(sys.argv[1]))
generation = catalogue.live()
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
try:
    with catalogue.transaction(generation) as changes:
        for i in range(100, 250):
            changes.add(numbered(i), file=file(f"{i}.txt"))
except WorkError as error:
    print(error)
"""
    catalogue, generation = filled(tmp_path, [numbered(1)])
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) in done.stdout, done.stderr
    assert "disk" in done.stdout
    assert catalogue.reader(generation).counts()["documents"] == 1
    assert catalogue.check() == []
    catalogue.close()


# -- full text


@pytest.mark.parametrize(
    "term",
    [
        '"',
        "'",
        "NEAR(",
        "a OR b",
        "words : x",
        "*",
        "^",
        "-",
        "",
        " ",
        "\0",
        "x\0y",
        "\ud800",
        "(",
        "AND",
        "NOT",
        "\\",
    ],
    ids=repr,
)
def test_no_term_can_break_the_query(
    catalogue: Catalogue, generation: Generation, reader: Reader, term: str
) -> None:
    add(catalogue, generation, numbered(1))
    assert reader.search_text(words=[term], keys=[term], key_weight=1, top_k=5) == []
    found = reader.search_text(words=[term, "document"], keys=[term], key_weight=1, top_k=5)
    assert len(found) == 3
    assert all(score >= 0 for _, score in found)
    assert reader.frequencies([term], column="words") == {term: 0}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=st.lists(st.text(), max_size=6))
def test_any_terms_can_be_searched(tmp_path: Path, terms: list[str]) -> None:
    with Catalogue.open(tmp_path / "terms", create=True) as catalogue:
        generation = catalogue.begin(MANIFEST)
        add(catalogue, generation, SCRIPTS)
        reader = catalogue.reader(generation)
        reader.search_text(words=terms, keys=terms, key_weight=0.5, top_k=5)
        assert reader.frequencies(terms, column="keys").keys() == set(terms)


@pytest.mark.parametrize("word", ["থো", "Cần", "cần", "डेटा", "öppna", "ক্যান"])
def test_words_of_every_script_are_found_whole(
    catalogue: Catalogue, generation: Generation, reader: Reader, word: str
) -> None:
    words = [(" ".join(text.strip(".।") for text in chunk.text.split()), "") for chunk in SCRIPTS.chunks]
    add(catalogue, generation, replace(SCRIPTS, tokens=words))
    assert reader.frequencies([word], column="words") == {word: 1}
    assert len(reader.search_text(words=[word], keys=[], key_weight=1, top_k=5)) == 1
    assert reader.search_text(words=[word[:-1]], keys=[], key_weight=1, top_k=5) == []


def test_keys_weigh_as_told_and_columns_do_not_mix(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    one, two = entry("a.txt", ["alpha."]), entry("b.txt", ["beta."])
    rest = [numbered(i) for i in range(10)]
    add(
        catalogue,
        generation,
        replace(one, tokens=[("apple", "pear")]),
        replace(two, tokens=[("pear", "apple")]),
        *rest,
    )
    best = reader.search_text(words=["apple"], keys=["apple"], key_weight=0.1, top_k=5)
    assert [key for key, _ in best] == [one.chunks[0].id, two.chunks[0].id]
    best = reader.search_text(words=["apple"], keys=["apple"], key_weight=10.0, top_k=5)
    assert [key for key, _ in best] == [two.chunks[0].id, one.chunks[0].id]
    assert [k for k, _ in reader.search_text(words=["pear"], keys=[], key_weight=1, top_k=5)] == [
        two.chunks[0].id
    ]


# -- kill -9

WRITER = """
import sys
from pathlib import Path
from stored import FOLDER, MANIFEST, file, numbered
from index.catalogue import Catalogue
catalogue = Catalogue.open(Path(sys.argv[1]), create=True)
generation = catalogue.begin(MANIFEST)
i = int(sys.argv[2])
while True:
    with catalogue.transaction(generation) as changes:
        changes.add(numbered(i), file=file(f"{i}.txt"))
        if i % 3 == 0:
            changes.remove_file(FOLDER, f"{i - 3}.txt")
    print(i, flush=True)
    i += 1
"""


def environment() -> dict[str, str]:
    """For child processes that import the project and these tests' entries."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}


def test_kill_9_loses_nothing_acknowledged_and_leaves_nothing_half(tmp_path: Path) -> None:
    chance = random.Random(9)
    acknowledged = -1
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(acknowledged + 1)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        ) as process:
            assert process.stdout is not None
            acknowledged = int(process.stdout.readline())
            time.sleep(chance.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
        with Catalogue.open(tmp_path) as catalogue:
            live = catalogue.live()
            assert live is not None
            reader = catalogue.reader(live)
            assert catalogue.check() == []
            stored = {int(info.path.removesuffix(".txt")) for info in reader.documents()}
            # One more may have been committed than was acknowledged.
            assert max(stored) in (acknowledged, acknowledged + 1)
            last = max(stored)
            gone = {i - 3 for i in range(0, last + 1, 3)}
            assert stored == set(range(last + 1)) - gone
            assert all(whole(reader, numbered(i)) for i in sorted(stored)[-8:])
            acknowledged = last
