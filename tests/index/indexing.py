"""A folder of documents in several scripts, and runs of the indexer over it: `from indexing import Bench`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from index.catalogue import Catalogue
from index.corpus import Corpus
from index.indexer import Indexer, Progress, Summary
from index.settings import IndexSettings
from index.upkeep import make_index

if TYPE_CHECKING:
    from index.embedder import Embedder


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


def skipped(summary: Summary) -> dict[str, str]:
    return {name: reason for name, reason, _ in summary.skipped}
