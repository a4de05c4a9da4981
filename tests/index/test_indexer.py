"""`rag index` below its command line: the index becomes equal to its folders, whatever happened before."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.errors import IndexMismatch, SkipReason, UsageError
from index.indexer import Indexer, Progress, Summary, manifest_for
from index.ownership import own
from index.settings import SHIPPED_DOCUMENTS, IndexSettings
from index.upkeep import default_folders, first_folders, make_index, mend_vectors, vector_faults, was_indexed
from index.vectors import pointer

if TYPE_CHECKING:
    from index.embedder import Embedder
    from rag.settings import RagSettings

TEXTS = {
    "bridge.txt": "The bridge over the river was built in 1931. It is 412 metres long and carries two roads.",
    "sub/school.md": "# School\n\nThe school has 640 pupils. It opened in the spring of 1998 and teaches music.",
    "hindi.txt": "पुस्तकालय में बारह हज़ार पुस्तकें हैं। यह रविवार को बंद रहता है।",
    "bengali.txt": "গ্রন্থাগারে বারো হাজার বই আছে। এটি রবিবার বন্ধ থাকে।",
}


class Bench:
    """A folder of documents, its data directory, and runs of the indexer over them."""

    def __init__(self, folder: Path, data_dir: Path, embedder: Embedder) -> None:
        self.folder = folder
        self.settings = IndexSettings(data_dir=data_dir, _env_file=None)
        self.embedder = embedder
        self.progress: list[Progress] = []

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run(self, *folders: Path, **changes: object) -> Summary:
        self.progress = []
        settings = self.settings.model_copy(update=changes)
        with Catalogue.open(settings.data_dir, create=True) as catalogue:
            indexer = Indexer(catalogue, self.embedder, settings)
            return indexer.run(folders or [self.folder], progress=self.progress.append)

    def make(self, **changes: object) -> Summary:
        """The same with the Chroma version."""
        settings = self.settings.model_copy(update=changes)
        return make_index(settings, [self.folder], embedder=self.embedder)

    def state(self) -> dict[str, tuple[str, ...]]:
        """Everything that is stored for questions, by document: ids of document, chunks and sentences."""
        with Corpus.open(self.settings, manifest_expected=None) as corpus:
            return {
                info.path: (
                    info.id,
                    *(chunk.id for chunk in corpus.chunks_of(info.id)),
                    *(sentence.id for sentence in corpus.sentences_of(info.id)),
                )
                for info in corpus.documents()
            }

    def faults(self) -> list[str]:
        with Catalogue.open(self.settings.data_dir) as catalogue:
            return catalogue.check()


@pytest.fixture
def bench(tmp_path: Path, data_dir: Path, embedder: Embedder) -> Bench:
    made = Bench(tmp_path / "docs", data_dir, embedder)
    made.folder.mkdir()
    for name, text in TEXTS.items():
        made.write(name, text)
    return made


def skipped(summary: Summary) -> dict[str, str]:
    return {name: reason for name, reason, _ in summary.skipped}


def test_shipped_documents_are_all_there_and_every_span_is_its_text(seed_settings: RagSettings) -> None:
    shipped = {path.name for path in SHIPPED_DOCUMENTS.glob("*.txt")}
    with Corpus.open(seed_settings.index, manifest_expected=None) as corpus:
        assert {info.path for info in corpus.documents()} == shipped
        for info in corpus.documents():
            document = corpus.document(info.id)
            assert document is not None
            spans = [*corpus.chunks_of(info.id), *corpus.sentences_of(info.id)]
            assert spans
            for span in spans:
                assert document.text[span.start : span.end] == span.text


def test_first_run_adds_every_file_and_tells_how_far_it_is(bench: Bench) -> None:
    summary = bench.run()
    assert sorted(summary.added) == sorted(TEXTS)
    assert (summary.documents, summary.failed, summary.removed, summary.skipped) == (4, False, [], [])
    last = bench.progress[-1]
    assert (last.files_done, last.files_total) == (4, 4)
    assert last.bytes_done == last.bytes_total == sum(len(text.encode()) for text in TEXTS.values())
    assert last.texts > 0
    assert bench.faults() == []


def test_unchanged_run_reads_and_embeds_nothing(bench: Bench) -> None:
    bench.run()
    before = bench.state()
    summary = bench.run()
    assert summary.unchanged == 4
    assert (summary.added, summary.changed, summary.removed, summary.skipped) == ([], [], [], [])
    assert bench.progress == []
    assert bench.state() == before


def _change(bench: Bench) -> None:
    bench.write("bridge.txt", "The bridge was closed in 2020.")


def _touch(bench: Bench) -> None:
    bench.write("bridge.txt", TEXTS["bridge.txt"])


def _remove(bench: Bench) -> None:
    (bench.folder / "hindi.txt").unlink()


def _add(bench: Bench) -> None:
    bench.write("new/ny.txt", "Biblioteket har tolv tusen böcker. Det är stängt på söndagar.")


def _rename(bench: Bench) -> None:
    (bench.folder / "bridge.txt").rename(bench.folder / "old bridge.txt")


def _copy(bench: Bench) -> None:
    bench.write("copy.txt", TEXTS["bridge.txt"])


def _remove_folder(bench: Bench) -> None:
    shutil.rmtree(bench.folder / "sub")


@dataclass(frozen=True)
class Did:
    """What a second run should report."""

    added: Sequence[str] = ()
    changed: Sequence[str] = ()
    removed: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()


@pytest.mark.parametrize(
    ("change", "did"),
    [
        pytest.param(_change, Did(changed=["bridge.txt"]), id="changed"),
        pytest.param(_touch, Did(), id="written-again-the-same"),
        pytest.param(_remove, Did(removed=["hindi.txt"]), id="removed"),
        pytest.param(_remove_folder, Did(removed=["sub/school.md"]), id="folder-removed"),
        pytest.param(_add, Did(added=["new/ny.txt"]), id="added"),
        pytest.param(_rename, Did(added=["old bridge.txt"], removed=["bridge.txt"]), id="renamed"),
        pytest.param(_copy, Did(skipped=[("copy.txt", "duplicate")]), id="duplicate"),
    ],
)
def test_second_run_does_what_changed_and_ends_like_a_fresh_index(
    bench: Bench,
    tmp_path: Path,
    make_data_dir: Callable[[Path], Path],
    change: Callable[[Bench], None],
    did: Did,
) -> None:
    bench.run()
    change(bench)
    summary = bench.run()
    assert Did(summary.added, summary.changed, summary.removed, list(skipped(summary).items())) == Did(
        list(did.added), list(did.changed), list(did.removed), list(did.skipped)
    )
    assert not summary.failed
    assert bench.faults() == []
    fresh = Bench(bench.folder, make_data_dir(tmp_path / "fresh"), bench.embedder)
    fresh.run()
    assert bench.state() == fresh.state()


def test_a_duplicate_takes_over_when_the_first_file_goes(bench: Bench) -> None:
    bench.write("copy.txt", TEXTS["bridge.txt"])
    bench.run()
    (bench.folder / "bridge.txt").unlink()
    summary = bench.run()
    assert summary.removed == ["bridge.txt"]
    assert bench.progress == [], "nothing is embedded for it"
    assert "copy.txt" in bench.state()
    assert bench.run().skipped == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", SkipReason.EMPTY, id="empty"),
        pytest.param(b" \n\t\n", SkipReason.EMPTY, id="white-space"),
        pytest.param(bytes(range(256)) * 40, SkipReason.BINARY, id="binary"),
        pytest.param(b"word " * 300_000, SkipReason.TOO_LARGE, id="too-large"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_each_time_and_the_rest_is_indexed(
    bench: Bench, content: bytes, reason: SkipReason
) -> None:
    bench.settings = bench.settings.model_copy(update={"max_file_mb": 1.0})
    bench.write("bad.txt", content)
    for _ in range(2):
        summary = bench.run()
        assert skipped(summary) == {"bad.txt": reason.value}
        assert all(detail for _, _, detail in summary.skipped)
        assert summary.failed
        assert summary.documents == 4
    bench.write("bad.txt", "It was mended in 2021.")
    summary = bench.run()
    assert (summary.added, summary.skipped, summary.failed) == (["bad.txt"], [], False)


def test_a_document_that_becomes_unreadable_leaves_the_index(bench: Bench) -> None:
    bench.run()
    bench.write("bridge.txt", b"")
    assert skipped(bench.run()) == {"bridge.txt": "empty"}
    assert "bridge.txt" not in bench.state()


@pytest.mark.parametrize(
    "name", ["with space.txt", "গ্রন্থ.txt", "e\u0301te\u0301.txt", "new\nline.txt", "[red]x[/red].txt"]
)
def test_any_file_name_is_indexed_and_found_again(bench: Bench, name: str) -> None:
    bench.write(name, "The tower has 88 steps.")
    assert name in bench.run().added
    assert bench.run().unchanged == 5


def test_a_file_name_that_is_not_utf8_is_spelled_out(bench: Bench) -> None:
    try:
        (bench.folder / os.fsdecode(b"caf\xe9.txt")).write_text("The tower has 88 steps.", "utf-8")
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    assert r"caf\xe9.txt" in bench.run().added
    assert bench.run().unchanged == 5


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
