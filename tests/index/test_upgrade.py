"""An index that an earlier version left: a program of today says what to do, and that loses nothing.

The catalogue beside this file was made on 1 December 2026 with the embedder of `digest.py`, in /srv/polycite: two
documents of a folder and an upload. One of a later version is put beside it when the tables or what they hold change.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from digest import DigestEmbedder, settings_for

from index.catalogue import Catalogue
from index.catalogue.copies import move_folder
from index.corpus import Corpus
from index.entries import manifest_for
from index.errors import IndexMismatch
from index.settings import IndexSettings
from index.upkeep import default_folders, make_index

FILES = {
    "docs/harbour.txt": "The harbour of Tellmouth\n\nThe harbour of Tellmouth was dredged in 1987. Its two cranes lift "
    "twelve tonnes each.",
    "docs/school.txt": "Skolan i Tellmouth\n\nSkolan i Tellmouth har 312 elever och 24 lärare.",
    "data/uploads/mill.txt": "The mill of Tellmouth grinds rye.",
}


@pytest.fixture(params=sorted(path.name for path in Path(__file__).parent.glob("catalogue-*.gz")))
def left(request: pytest.FixtureRequest, tmp_path: Path) -> IndexSettings:
    """The data directory as an earlier version left it."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    catalogue = tmp_path / "data" / "catalogue.sqlite3"
    catalogue.write_bytes(gzip.decompress((Path(__file__).parent / request.param).read_bytes()))
    for name in ("docs", "data/uploads"):
        move_folder(catalogue, before=f"/srv/polycite/{name}", after=str(tmp_path / name))
    return settings_for(tmp_path / "data").model_copy(update={"seeds_dir": tmp_path / "docs"})


def test_an_earlier_index_is_brought_up_to_date(left: IndexSettings) -> None:
    expected = manifest_for(DigestEmbedder(), left)
    with Catalogue.open(left.data_dir) as catalogue:
        live = catalogue.live()
        assert live is not None
        old, jobs = (
            live.manifest,
            [file.document_id for job in catalogue.jobs.latest(5) for file in job.files],
        )
    if old != expected:
        with pytest.raises(IndexMismatch, match="rag index"):
            Corpus.open(left, manifest_expected=expected)
    summary = make_index(left, default_folders(left), embedder=DigestEmbedder())
    assert (summary.documents, summary.removed, summary.skipped) == (3, [], [])
    with Corpus.open(left, manifest_expected=expected) as corpus:
        found = {info.path: corpus.document(info.id).text for info in corpus.documents()}
    assert found == {Path(name).name: text for name, text in FILES.items()}
    with Catalogue.open(left.data_dir) as catalogue:
        assert catalogue.check() == []
        assert [file.document_id for job in catalogue.jobs.latest(5) for file in job.files] == jobs
    again = make_index(left, default_folders(left), embedder=DigestEmbedder())
    assert (again.added, again.changed, again.unchanged) == ([], [], 3)
