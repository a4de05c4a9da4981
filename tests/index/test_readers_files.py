"""The files of a folder: which are documents, and what a path may be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from reading import HINDI, LIMIT, SWEDISH

from index.errors import ReadError, SkipReason, UsageError
from index.readers import document_files, read_document
from index.types import Document

SEEDS = Path(__file__).parents[2] / "seeds"


class TestFiles:
    def test_listing(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside.txt"
        outside.write_text("x")
        folder = tmp_path / "docs"
        for name in ("b.txt", "a/README.md", "a/c.txt", "README.md", ".hidden", ".git/x.txt", "~$a.docx"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        (folder / "loop").symlink_to(folder)
        (folder / "out.txt").symlink_to(outside)
        (folder / "in.txt").symlink_to(folder / "b.txt")
        (folder / "nowhere.txt").symlink_to(folder / "missing.txt")
        found = [path.relative_to(folder).as_posix() for path in document_files(folder)]
        assert found == ["a/README.md", "a/c.txt", "b.txt", "in.txt", "nowhere.txt"]

    def test_not_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is not a folder"):
            document_files(tmp_path / "missing")

    def test_seeds_readme_is_no_document(self) -> None:
        assert [path.name[:3] for path in document_files(SEEDS)] == ["000", "001", "002", "003", "004"]

    def read_file(self, path: Path, folder: Path) -> Document:
        return read_document(path, relative_to=folder, max_bytes=LIMIT, max_garbled_share=0.02)

    def reason(self, path: Path, folder: Path) -> SkipReason:
        with pytest.raises(ReadError) as caught:
            self.read_file(path, folder)
        return caught.value.reason

    def test_path_is_relative(self, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b.txt"
        path.parent.mkdir()
        path.write_text(HINDI)
        document = self.read_file(path, tmp_path)
        assert (document.path, document.language) == ("a/b.txt", "hi")

    def test_outside_the_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="does not lie in"):
            self.read_file(Path("/elsewhere/a.txt"), tmp_path)

    def test_dangling_link(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").symlink_to(tmp_path / "missing")
        assert self.reason(tmp_path / "a.txt", tmp_path) is SkipReason.UNREADABLE

    def test_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").symlink_to(tmp_path / "a.txt")
        assert document_files(tmp_path) == [tmp_path / "a.txt"]
        assert self.reason(tmp_path / "a.txt", tmp_path) is SkipReason.UNREADABLE

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_no_permission(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("x")
        (tmp_path / "a.txt").chmod(0)
        assert self.reason(tmp_path / "a.txt", tmp_path) is SkipReason.UNREADABLE

    def test_folder_and_pipe(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        os.mkfifo(tmp_path / "pipe")
        assert self.reason(tmp_path / "sub", tmp_path) is SkipReason.UNREADABLE
        assert self.reason(tmp_path / "pipe", tmp_path) is SkipReason.UNSUPPORTED

    def test_too_large_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "a.txt"
        with path.open("wb") as file:
            # A sparse file: reading its terabyte would not end.
            file.truncate(10**12)
        assert self.reason(path, tmp_path) is SkipReason.TOO_LARGE

    def test_name_that_is_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / os.fsdecode(b"a\xff.txt")
        path.write_text(SWEDISH)
        assert self.read_file(path, tmp_path).path == "a\\xff.txt"
