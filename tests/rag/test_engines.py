"""The engine of docs/engines.md: one file and one line, and every door knows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rag.settings import RagSettings

GUIDE = Path(__file__).parents[2] / "docs" / "engines.md"
_PROGRAM = """
import json, sys
import rag.engines
from rag.engines import Row

folder, line = sys.argv[1:]
rag.engines.__path__.append(folder)
rag.engines.ENGINES = (*rag.engines.ENGINES, *eval(f"({line})"))

from click.testing import CliRunner
from fastapi.testclient import TestClient
from rag.api import create_app
from rag.assistant import Assistant
from rag.settings import load_settings
from ui.cli import cli

settings = load_settings()
asked = [
    {"question": "How many open data sets has the city of Can Tho published?", "engine": "passage"},
    {"question": "How many open data sets has the city of Can Tho published?"},
    {"question": "How many people live in Reykjavik?", "engine": "passage"},
]
with Assistant.open(settings) as assistant:
    with TestClient(create_app(assistant, settings), base_url="http://127.0.0.1") as client:
        print(json.dumps({
            "answers": [client.post("/v1/ask", json=body).json() for body in asked],
            "models": [model["id"] for model in client.get("/v1/models").json()["data"]],
            "command": CliRunner().invoke(cli, ["ask", "--help"]).output,
        }))
"""


@pytest.fixture(scope="module")
def told(seed_settings: RagSettings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the doors of a program say that has the engine of the guide."""
    written, line = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(written.splitlines()) < 40
    folder = tmp_path_factory.mktemp("engines")
    (folder / "passage.py").write_text(written, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(folder), line],
        env={**os.environ, "RAG_DATA_DIR": str(seed_settings.index.data_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_answers_and_is_checked(told: dict[str, Any]) -> None:
    answer, by_default, _ = told["answers"]
    assert (answer["engine"], answer["grounding"], answer["refused"]) == ("passage", "verified", False)
    assert answer["answer"] == f"{answer['citations'][0]['quote']} [1]"
    assert by_default["engine"] == "extractive"


def test_what_the_documents_do_not_hold_is_refused_for_it(told: dict[str, Any]) -> None:
    assert told["answers"][2]["refused"]


def test_every_door_knows_it(told: dict[str, Any]) -> None:
    assert told["models"] == ["polycite", "polycite-extractive", "polycite-passage"]
    assert "passage" in told["command"]
