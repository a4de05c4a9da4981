"""The documentation of the API: it is today's, it is complete, its examples run, and the server keeps to it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from loopback import served

from index.corpus import Corpus
from index.indexer import manifest_for
from index.intake import Intake
from index.settings import IndexSettings
from rag.api import create_app
from rag.api.openapi import main, openapi_text
from rag.assistant import Assistant
from rag.settings import RagSettings

if TYPE_CHECKING:
    from index.embedder import Embedder

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE = (DOCS / "api.md").read_text(encoding="utf-8")
OPENAPI: dict[str, Any] = json.loads(openapi_text())
WRITTEN_IN_THE_GUIDE = "http://127.0.0.1:8000"
SECONDS = 300


@pytest.fixture(scope="module")
def address(
    seed_settings: RagSettings,
    embedder: Embedder,
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
) -> Iterator[str]:
    """A server with the shipped documents that takes others in; its data directory is its own."""
    folder = make_data_dir(tmp_path_factory.mktemp("guide") / "data")
    for path in seed_settings.index.data_dir.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    index = IndexSettings(data_dir=folder, _env_file=None)
    settings = RagSettings(index=index, max_waiting=1000, _env_file=None)
    corpus = Corpus.open(index, manifest_expected=manifest_for(embedder, index))
    with (
        Assistant(corpus, embedder, settings) as assistant,
        Intake(index, embedder) as intake,
        served(create_app(assistant, settings, intake=intake)) as found,
    ):
        yield found


# -- the OpenAPI document


def test_the_committed_document_is_todays() -> None:
    committed = (DOCS / "openapi.json").read_text(encoding="utf-8")
    assert committed == openapi_text(), "run `make openapi`"


def test_it_is_written_to_a_file(tmp_path: Path) -> None:
    main([str(tmp_path / "openapi.json")])
    assert json.loads((tmp_path / "openapi.json").read_text(encoding="utf-8")) == OPENAPI


def test_a_server_serves_the_same_document(address: str) -> None:
    assert httpx.get(f"{address}/openapi.json", timeout=60).json() == OPENAPI


def test_every_operation_and_field_is_documented() -> None:
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
    schemas = OPENAPI["components"]["schemas"]
    assert "HTTPValidationError" not in json.dumps(OPENAPI["paths"])
    for name in ("AskRequest", "SearchRequest", "Problem"):
        for field, schema in schemas[name]["properties"].items():
            assert schema.get("description"), (name, field)
    for name, schema in schemas.items():
        assert schema.get("description"), name


def fields() -> list[object]:
    return [
        pytest.param(field, id=f"{name}.{key}")
        for name, schema in OPENAPI["components"]["schemas"].items()
        for key, field in schema.get("properties", {}).items()
    ]


@pytest.mark.parametrize("field", fields())
def test_every_field_is_described(field: dict[str, Any]) -> None:
    assert field.get("description") or ("$ref" in field and len(field) == 1)


@pytest.mark.parametrize("field", fields())
def test_every_value_has_an_example(field: dict[str, Any]) -> None:
    """Lists and objects are shown by what they hold, choices by themselves."""
    ways = [field, *field.get("anyOf", ())]
    value = {each.get("type") for each in ways} & {"string", "integer", "number"}
    if value and not any({"const", "enum", "default"} & set(way) for way in ways):
        assert "examples" in field


def test_the_manual_needs_no_other_machine(address: str) -> None:
    page = httpx.get(f"{address}/docs", timeout=60).text
    for name in ("/v1/ask", "/v1/search", "/v1/documents", "AskRequest", "AnswerOut"):
        assert name in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href|action)="(?!#|/[^/])|url\(|@import', page)


# -- the guide


def operations() -> list[object]:
    return [
        pytest.param(f"{method.upper()} {path}", id=f"{method} {path}")
        for path, methods in OPENAPI["paths"].items()
        for method in methods
    ]


@pytest.mark.parametrize("operation", operations())
def test_every_operation_is_in_the_guide(operation: str) -> None:
    assert f"`{operation}`" in GUIDE


def examples(language: str) -> list[object]:
    """The code blocks of a language, named by the heading they stand under."""
    found: list[object] = []
    heading = ""
    for part in re.split(r"^(#+ [^\n]*|```\w+\n.*?^```)$", GUIDE, flags=re.MULTILINE | re.DOTALL):
        if part.startswith("#"):
            heading = part.strip("# ")
        elif part.startswith(f"```{language}\n"):
            code = part.removeprefix(f"```{language}\n").removesuffix("```")
            found.append(pytest.param(code, id=heading))
    return found


def run(command: list[str], code: str, address: str, folder: Path) -> str:
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [*command, code.replace(WRITTEN_IN_THE_GUIDE, address)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("code", examples("sh"))
def test_the_examples_for_curl_run(address: str, tmp_path: Path, code: str) -> None:
    failing = code.replace("curl -s", "curl --fail-with-body -sS")
    assert run(["bash", "-euo", "pipefail", "-c"], failing, address, tmp_path)


@pytest.mark.parametrize("code", examples("python"))
def test_the_examples_in_python_run(address: str, tmp_path: Path, code: str) -> None:
    assert run([sys.executable, "-c"], code, address, tmp_path) or "assert " in code


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("code", examples("js"))
def test_the_examples_in_javascript_run(address: str, tmp_path: Path, code: str) -> None:
    assert run(["node", "--input-type=module", "--eval"], code, address, tmp_path)


def test_each_language_has_examples() -> None:
    assert min(len(examples(language)) for language in ("sh", "python", "js")) >= 8


# -- what the server does

# What a schema cannot say is refused all the same: a message of nobody, an engine that is not configured.
SCHEMATHESIS = """
[checks]
max_response_time = 60
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "422", "429", "5xx"]
"""


def test_the_server_keeps_to_its_document(address: str, tmp_path: Path) -> None:
    """Requests made from the document, good and bad ones, get what it says."""
    program = Path(sys.executable).with_name("schemathesis")
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS)
    done = subprocess.run(
        [
            *(program, "run", f"{address}/openapi.json", "--no-color", "--generation-deterministic"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "2"),
            *("--checks", "all", "--request-timeout", "120"),
            *("--suppress-health-check", "all"),
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
