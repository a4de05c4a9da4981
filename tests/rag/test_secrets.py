"""No key, password or token comes out: not in the log at its most talkative, not in an error, not in a number."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from pydantic import SecretStr

from index.catalogue import Catalogue
from index.doctor import checks
from index.errors import PolyciteError, SettingsError
from index.settings import IndexSettings
from rag.api import create_app
from rag.api.logs import server_logging
from rag.assistant import Assistant
from rag.keys import KeyStore
from rag.settings import load_settings
from ui.cli import cli

if TYPE_CHECKING:
    from rag.settings import RagSettings

HERE = "http://127.0.0.1:8000"
# One that stands alone in every place where it could come out.
LLM_KEY = "sk-hunter2-llm"
PASSWORD = "hunter2-database"
CLOSED = "127.0.0.1:9"  # the discard port: nobody listens there
DATABASE = f"postgresql://staff:{PASSWORD}@{CLOSED}/corpus"
QUESTION = "How many open data sets has the city of Can Tho published?"


@pytest.fixture(scope="module")
def secretive(
    assistant: Assistant, seed_settings: RagSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RagSettings, KeyStore, Assistant]]:
    """A server's parts with every secret there is, and a language model that is not there."""
    secrets: dict[str, Any] = {
        "llm_api_key": SecretStr(LLM_KEY),
        "server_key": SecretStr("pc_hunter2-server"),
    }
    model: dict[str, Any] = {
        "llm_base_url": f"http://{CLOSED}/v1",
        "llm_model": "absent",
        "llm_timeout_s": 1.0,
        "reader_model": "off",
        "log_level": "debug",
    }
    settings = seed_settings.model_copy(update={**secrets, **model})
    opened = Assistant(assistant.corpus, assistant.embedder, settings)
    yield settings, KeyStore(tmp_path_factory.mktemp("keys")), opened
    opened._engines.close()


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_server_at_debug_level_tells_none(
    secretive: tuple[RagSettings, KeyStore, Assistant], form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    settings, store, assistant = secretive
    key = store.add(f"reader of {form}")
    wrong = "pc_" + "w" * 43
    settings = settings.model_copy(update={"log_format": form})
    seen = []
    with server_logging(settings):
        for name in ("openai", "httpx", "httpcore", "sqlalchemy", "chromadb", "uvicorn"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        with TestClient(create_app(assistant, settings, keys=store), base_url=HERE) as client:
            for headers in ({"authorization": f"Bearer {key}"}, {"x-api-key": key}, {"x-api-key": wrong}, {}):
                for path in ("/metrics", "/readyz", "/healthz", "/v1/documents", "/v1/models", "/nowhere"):
                    seen.append(client.get(path, headers=headers).text)
                for body in (
                    {"question": QUESTION},
                    {"question": QUESTION, "engine": "llm"},
                    {"question": 7},
                ):
                    seen.append(client.post("/v1/ask", json=body, headers=headers).text)
            for given in (key, wrong):
                signed = client.post(
                    "/login", data={"key": given}, headers={"origin": HERE}, follow_redirects=False
                )
                seen.append(signed.text)
                token = signed.cookies.get("polycite_session")
                seen.append(client.get("/v1/documents").text)
            logging.getLogger("rag").debug("the settings are %r", settings)
        for name in ("openai", "httpx", "httpcore", "sqlalchemy", "chromadb", "uvicorn"):
            logging.getLogger(name).setLevel(logging.NOTSET)
    log = "".join(capfd.readouterr())
    assert "/v1/ask" in log, "there is something to look at"
    assert "the settings are" in log
    for told in (log, *seen):
        for secret in (
            LLM_KEY,
            "pc_hunter2-server",
            key,
            wrong,
            key.removeprefix("pc_"),
            store.known()[0].digest,
            token,
        ):
            assert secret is None or secret not in told


def test_the_password_of_a_database_is_not_told(seed_settings: RagSettings) -> None:
    settings = seed_settings.index.model_copy(update={"database_url": SecretStr(DATABASE)})
    with pytest.raises(PolyciteError) as caught:
        Catalogue.configured(settings)
    told = [str(caught.value), repr(settings), *(f"{each.detail} {each.remedy}" for each in checks(settings))]
    assert not [each for each in told if PASSWORD in each]
    assert any(CLOSED.split(":", maxsplit=1)[0] in each for each in told), "which server it is may be told"


@pytest.mark.parametrize("sign", "@/?#")
def test_a_password_that_is_not_encoded_is_refused_unseen(sign: str) -> None:
    """Else its end would be taken for the name of the server, and asked of DNS."""
    address = f"postgresql://staff:hun{sign}ter2@db.example:5432/corpus"
    with pytest.raises(SettingsError, match="write @ as %40") as caught:
        Catalogue.configured(IndexSettings(database_url=SecretStr(address), _env_file=None))
    assert "ter2" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"RAG_LLM_API_KEY": LLM_KEY, "RAG_SERVER_KEY": "pc_hunter2-server", "RAG_DATABASE_URL": DATABASE},
        {"RAG_LLM_BASE_URL": f"http://staff:{PASSWORD}@{CLOSED}/v1"},
        {"RAG_LLM_BASE_URL": f"ftp://staff:{PASSWORD}@{CLOSED}/v1"},
        {"RAG_CHROMA_URL": f"http://staff:{PASSWORD}@{CLOSED}"},
        {"RAG_DATABASE_URL": f"mysql://staff:{PASSWORD}@{CLOSED}/x"},
        {"RAG_DATABASE_URL": f"staff:{PASSWORD}"},
    ],
    ids=["all", "model address", "malformed model address", "chroma", "another database", "no address"],
)
@pytest.mark.parametrize(
    "command", [["doctor", "--settings"], ["ask", "x"], ["keys", "list"]], ids=lambda c: c[0]
)
def test_no_command_tells_any(given: dict[str, str], command: list[str], tmp_path: Path) -> None:
    environment = {"RAG_DATA_DIR": str(tmp_path / "data"), **given}
    result = CliRunner().invoke(cli, command, env=environment, prog_name="rag")
    for secret in (LLM_KEY, PASSWORD, "pc_hunter2-server"):
        assert secret not in result.output


def test_the_address_of_chroma_holds_no_password(seed_settings: RagSettings) -> None:
    from index.vectors.chroma_server import ChromaServer

    with pytest.raises(SettingsError, match="names a user") as caught:
        ChromaServer(f"http://staff:{PASSWORD}@{CLOSED}", owner="mine")
    assert PASSWORD not in str(caught.value)


def test_a_setting_that_is_wrong_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAG_LLM_BASE_URL", f"ftp://staff:{PASSWORD}@{CLOSED}/v1")
    with pytest.raises(SettingsError, match=r"RAG_LLM_BASE_URL='ftp://staff:\*\*\*@127") as caught:
        load_settings()
    assert PASSWORD not in str(caught.value)
