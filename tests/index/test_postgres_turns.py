"""PostgreSQL's own side of the catalogue: turns to write, restarts, and what its errors say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from postgres_server import PASSWORD
from pydantic import SecretStr
from stored import MANIFEST, add, numbered

from index.catalogue import Catalogue
from index.errors import IndexBusy, IndexUnreachable, PolyciteError, SettingsError
from index.settings import IndexSettings

if TYPE_CHECKING:
    from postgres_server import PostgresForTests

ROOT = Path(__file__).resolve().parents[2]

# Has a turn until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from index.catalogue import Catalogue
from index.settings import IndexSettings
catalogue = Catalogue.configured(IndexSettings(data_dir=Path(sys.argv[1]), _env_file=None))
with catalogue.turn("writer", purpose="rag index", wait=0):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def settings(tmp_path: Path, postgres: PostgresForTests) -> IndexSettings:
    return IndexSettings(data_dir=tmp_path, database_url=SecretStr(postgres.url()), _env_file=None)


@pytest.fixture
def catalogue(settings: IndexSettings) -> Iterator[Catalogue]:
    with Catalogue.configured(settings, create=True) as made:
        yield made


def test_one_has_the_turn_and_the_other_is_told_who(catalogue: Catalogue, settings: IndexSettings) -> None:
    with Catalogue.configured(settings) as other:
        with catalogue.turn("writer", purpose="rag index", wait=0) as turn:
            assert turn.held()
            with (
                pytest.raises(IndexBusy, match=rf"rag index, pid {os.getpid()} on .*wait"),
                other.turn("writer", purpose="rag serve", wait=0.2),
            ):
                pass
            with other.turn("uploads", purpose="rag serve", wait=0):  # another turn
                add(catalogue, catalogue.begin(MANIFEST), numbered(1))
        with other.turn("writer", purpose="rag serve", wait=0):
            pass


def test_catalogues_in_schemas_of_one_database_do_not_wait_for_each_other(
    catalogue: Catalogue, settings: IndexSettings, postgres: PostgresForTests
) -> None:
    elsewhere = settings.model_copy(update={"database_url": SecretStr(postgres.url())})
    with (
        Catalogue.configured(elsewhere, create=True) as other,
        catalogue.turn("writer", purpose="a", wait=0),
        other.turn("writer", purpose="b", wait=0),
    ):
        assert other.live() is None


def test_a_killed_process_frees_its_turn(catalogue: Catalogue, settings: IndexSettings) -> None:
    assert settings.database_url is not None
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RAG_DATABASE_URL": settings.database_url.get_secret_value(),
    }
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(settings.data_dir)], env=environment, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"held"
        with (
            pytest.raises(IndexBusy, match=f"pid {process.pid}"),
            catalogue.turn("writer", purpose="rag serve", wait=0),
        ):
            pass
        process.send_signal(signal.SIGKILL)
    with catalogue.turn("writer", purpose="rag serve", wait=30):
        pass


def test_who_lost_the_turn_in_a_restart_writes_no_more(
    catalogue: Catalogue, postgres: PostgresForTests
) -> None:
    generation = catalogue.begin(MANIFEST)
    with catalogue.turn("writer", purpose="rag index", wait=0) as turn:
        add(catalogue, generation, numbered(1))
        postgres.stop()
        postgres.start()
        assert not turn.held()
        for number in (2, 3):
            with pytest.raises(IndexUnreachable):
                add(catalogue, generation, numbered(number))
    # Reading went on by itself, and so does writing with a new turn.
    assert catalogue.reader(generation).counts()["documents"] == 1
    with catalogue.turn("writer", purpose="rag index", wait=0):
        assert add(catalogue, generation, numbered(2)) == [True]


def test_while_the_server_is_away_every_call_says_so_and_then_none(
    catalogue: Catalogue, postgres: PostgresForTests
) -> None:
    generation = catalogue.begin(MANIFEST)
    add(catalogue, generation, numbered(1))
    postgres.stop()
    try:
        for call in (catalogue.state, catalogue.folders, lambda: add(catalogue, generation, numbered(2))):
            with pytest.raises(IndexUnreachable, match="does not answer") as caught:
                call()
            assert PASSWORD not in str(caught.value)
    finally:
        postgres.start()
    assert catalogue.reader(generation).counts()["documents"] == 1
    assert add(catalogue, generation, numbered(2)) == [True]


NO_ENTRY = "does not let this program in"


@pytest.mark.parametrize(
    ("change", "kind", "match"),
    [
        pytest.param(lambda _: "postgres", SettingsError, "is not postgresql", id="no-url"),
        pytest.param(lambda _: "mysql://a:b@c/d", SettingsError, "is not postgresql", id="another-database"),
        pytest.param(lambda url: url.replace("tester", "x"), IndexUnreachable, NO_ENTRY, id="another-user"),
        pytest.param(
            lambda url: url.replace(PASSWORD, "wrong-Secret"), IndexUnreachable, NO_ENTRY, id="wrong-password"
        ),
        pytest.param(
            lambda url: url.replace("/postgres?", "/nowhere?"),
            IndexUnreachable,
            NO_ENTRY,
            id="no-such-database",
        ),
    ],
)
def test_an_address_that_will_not_do_says_which_setting_to_correct(
    settings: IndexSettings, change: object, kind: type[PolyciteError], match: str
) -> None:
    assert settings.database_url is not None
    url = change(settings.database_url.get_secret_value())  # type: ignore[operator]
    with pytest.raises(kind, match=match) as caught:
        Catalogue.configured(settings.model_copy(update={"database_url": SecretStr(url)}))
    assert "RAG_DATABASE_URL" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert "wrong-Secret" not in str(caught.value)
