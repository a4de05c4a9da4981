"""What leaves the index at the end of a run, and the refusal to let a folder lose all that it held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from index.catalogue import Catalogue, FileRecord, Generation, Transaction
from index.errors import WorkError
from index.folders import FoundFile, Unopened


class Leaving:
    """Files that vanished, and those that held a document and can no longer be read as one.

    Args:
        known: the files of the generation when the run began, by folder and path.
        found: those that are there now.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        generation: Generation,
        known: Mapping[tuple[str, str], FileRecord],
        found: Sequence[FoundFile],
    ) -> None:
        self._catalogue = catalogue
        self._generation = generation
        self._known = known
        here, unopened = {file.key for file in found}, Unopened(found)
        gone = [key for key in sorted(known.keys() - here) if not unopened.may_hold(key)]
        self.vanished: list[FileRecord] = [known[key] for key in gone]
        self._unread: list[FileRecord] = []
        self._movable: dict[str, list[FileRecord]] = defaultdict(list)
        for file in self.vanished:
            if file.document_id is not None:
                self._movable[file.document_id].append(file)

    def add_unread(self, file: FileRecord) -> None:
        """Have a file noted with its reason, in place of the document that it held."""
        self._unread.append(file)

    def make_way(self, document_id: str, changes: Transaction) -> None:
        """Let the files that vanished go before a document of theirs is added: it moves, in one transaction."""
        for file in self._movable.pop(document_id, ()):
            changes.remove_file(file.folder, file.path)

    def refuse_to_empty(self, folders: Sequence[str], *, why: str) -> None:
        """Call it before `remove`: a disk that is not there looks like a folder whose files were deleted.

        Raises:
            WorkError: one of `folders`, or the whole index, would lose the last of its documents; `why` is part of
                the text.
        """
        if not (self.vanished or self._unread) and self._generation.state == "live":
            return
        before = [*_holding(self._known.values()), *self._replaced()]
        going = {(file.folder, file.path) for file in (*self.vanished, *self._unread)}
        after = [
            file
            for file in _holding(self._catalogue.files(self._generation))
            if (file.folder, file.path) not in going
        ]
        lost = {file.document_id for file in before} - {file.document_id for file in after}
        losing = {file.folder for file in before if file.document_id in lost}
        emptied = losing - {file.folder for file in after}
        named = [folder for folder in folders if folder in emptied or not after]
        if lost and named:
            raise WorkError(
                f"there is no document that can be read in {' and '.join(named)}{why}, and {len(lost):,} would leave "
                "the index: nothing was removed; look at the folder, or give --allow-empty to remove them"
            )

    def remove(self) -> None:
        """Take it all out of the index, in one transaction."""
        if self.vanished or self._unread:
            with self._catalogue.transaction(self._generation) as changes:
                for file in self.vanished:
                    changes.remove_file(file.folder, file.path)
                for file in self._unread:
                    changes.skip(file)

    def _replaced(self) -> list[FileRecord]:
        """The documents of the live generation, where another is to take its place."""
        live = self._catalogue.live()
        return [] if live is None or live.id == self._generation.id else _holding(self._catalogue.files(live))


def _holding(files: Iterable[FileRecord]) -> list[FileRecord]:
    return [file for file in files if file.document_id is not None]
