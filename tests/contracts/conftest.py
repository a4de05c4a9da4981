"""A catalogue of each kind: SQLite's file and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from stored import MANIFEST

from index.catalogue import Catalogue
from index.settings import IndexSettings

if TYPE_CHECKING:
    from index.catalogue import CatalogueReader, Generation

Opened = Callable[..., AbstractContextManager[Catalogue]]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opened:
    """A function that opens the catalogue of a name, making it unless `create` is False."""
    urls: dict[str, SecretStr] = {}

    def catalogue(name: str = "data", *, create: bool = True) -> AbstractContextManager[Catalogue]:
        url = None
        if request.param == "postgres":
            url = urls.setdefault(name, SecretStr(request.getfixturevalue("postgres").url()))
        settings = IndexSettings(data_dir=tmp_path / name, database_url=url, _env_file=None)
        return Catalogue.configured(settings, create=create)

    return catalogue


@pytest.fixture
def catalogue(opened: Opened) -> Iterator[Catalogue]:
    with opened() as made:
        yield made


@pytest.fixture
def generation(catalogue: Catalogue) -> Generation:
    return catalogue.begin(MANIFEST)


@pytest.fixture
def reader(catalogue: Catalogue, generation: Generation) -> CatalogueReader:
    return catalogue.reader(generation)
