"""`rag index` below its command line: the index becomes equal to its folders, whatever happened before."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from indexing import TEXTS, Bench, skipped

from index.corpus import Corpus
from index.errors import SkipReason
from index.settings import SHIPPED_DOCUMENTS

if TYPE_CHECKING:
    from rag.settings import RagSettings


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
